import { setImmediate } from "node:timers/promises";
import { NO_LIMITS } from "@rport/protocol/model";
import { expect, it } from "vitest";
import type { AuditEntry } from "../../../../../backend/src/audit/entry.ts";
import type { Handlers } from "../../../../../backend/src/http/endpoints.ts";
import { auditedHandlers } from "../../../../../backend/src/http/handlers/audited.ts";
import {
  type CredentialHandlerDeps,
  credentialHandlers,
} from "../../../../../backend/src/http/handlers/credentials.ts";
import { STRANGER } from "../../../../../backend/src/users/actor.ts";
import { callContext } from "../../../../support/backend/callContext.ts";
import { openCredentials } from "../../../../support/backend/credentials.ts";
import { noAudit } from "../../../../support/backend/noAudit.ts";

const IDS = ["one", "three", "two", "zero"];
const CONTEXT = callContext(STRANGER, "local");

/** A purge of four credentials that nobody uses; the disk has no room at some of its writes. */
async function purge(isFull: (write: number) => boolean, dryRun = false) {
  await using fixture = await openCredentials();
  const { credentials } = fixture;
  // The one that every server begins with.
  await credentials.purge.run();
  for (const id of IDS) await credentials.create({ id, limits: NO_LIMITS, createdBy: "test" });
  const { disk } = fixture;
  disk.decide((count) => (isFull(count) ? "full" : "done"));
  const entries: AuditEntry[] = [];
  const note = (entry: AuditEntry) => void entries.push(entry);
  const record = (entry: AuditEntry) => Promise.resolve(note(entry));
  const { purge: unused } = credentials;
  const source: Pick<CredentialHandlerDeps, "purgeUnused" | "previewPurge"> = {
    purgeUnused: () => unused.run(),
    previewPurge: () => unused.preview(),
  };
  const { purgeUnused } = auditedHandlers(
    credentialHandlers(source as CredentialHandlerDeps) as Handlers,
    {
      audit: { ...noAudit, note, record },
      changes: { spend: () => undefined },
      clientOf: () => undefined,
    },
  );
  const input = { params: {}, query: {}, body: { dry_run: dryRun } };
  const answer = await purgeUnused(input, CONTEXT);
  const left = credentials.list().filter(({ state }) => state === "active");
  const told = entries.map(({ action, affectedId, response }) => [action, affectedId, response]);
  return { data: answer?.data, told, entries, left: left.map(({ id }) => id) };
}

const NOBODY = { clients: [], disconnected: 0, pairings: 0 };

it("a purge has an entry for each credential, and one that says how many there were", async () => {
  const { data, told, entries, left } = await purge(() => false);
  expect(data).toEqual({ credentials: IDS, failed: [] });
  expect(left).toEqual([]);
  expect(told).toEqual([
    ...IDS.map((id) => ["delete", id, NOBODY]),
    ["purge", undefined, { removed: 4, failed: 0, credentials: IDS }],
  ]);
  for (const entry of entries)
    expect(entry).toMatchObject({ user: "local", remoteIp: "192.0.2.1" });
});

it("F-15: a purge goes on where one credential cannot be removed, and tells of all in its answer and its entries", async () => {
  // Three writes for each: the mark, its secrets, its record. The fourth is the mark of "three".
  const { data, told, left } = await purge((write) => write === 4);
  const why = { code: "NOT_DURABLE", title: expect.stringContaining("disk is full") };
  expect(data).toEqual({ credentials: ["one", "two", "zero"], failed: [{ id: "three", ...why }] });
  expect(left).toEqual([]);
  expect(told).toEqual([
    ...["one", "two", "zero"].map((id) => ["delete", id, NOBODY]),
    ["delete", "three", { error: "NOT_DURABLE" }],
    ["purge", undefined, { removed: 3, failed: 1, credentials: ["one", "two", "zero"] }],
  ]);
});

it("a purge of thousands has few of its entries wait at a time, and an entry for each", async () => {
  const ids = Array.from({ length: 2_001 }, (_, n) => `unused-${n}`);
  const deletions = ids.map((id) => ({ id, outcome: NOBODY }));
  let waiting = 0;
  let most = 0;
  let count = 0;
  const record = async () => {
    waiting += 1;
    most = Math.max(most, waiting);
    await setImmediate();
    waiting -= 1;
    count += 1;
  };
  const source = {
    purgeUnused: async () => ({ data: { credentials: [], failed: [] }, deletions }),
  };
  const { purgeUnused } = auditedHandlers(source as unknown as Handlers, {
    audit: { ...noAudit, record },
    changes: { spend: () => undefined },
    clientOf: () => undefined,
  });
  await purgeUnused({ params: {}, query: {}, body: { dry_run: false } }, CONTEXT);
  expect([most, count]).toEqual([500, 2_002]);
});

it("a purge that is only tried out is not written down", async () => {
  const { data, told, left } = await purge(() => false, true);
  expect(data).toEqual({ credentials: IDS, failed: [] });
  expect(told).toEqual([]);
  expect(left).toEqual(IDS);
});
