import { RportError } from "@rport/protocol/errors";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { EditorEvents } from "../../../../backend/src/audit/editorEvents.ts";
import type { AuditEntry } from "../../../../backend/src/audit/entry.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const HOUR_MS = 3_600_000;
const WEB = clientIdSchema.parse("web-1");

function open(max?: number) {
  const entries: AuditEntry[] = [];
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const values = { stream_entries_per_user: max };
  const limits = new Limits({ values, clock, log });
  const audit = { note: (entry: AuditEntry) => void entries.push(entry) };
  const editors = new EditorEvents({ audit, limits, clock });
  const to = (host: string, port: number) => ({
    clientId: WEB,
    hostname: "web01",
    target: { host, port },
  });
  const dial = (user: string, host: string, port: number) =>
    editors.watched(
      { user: { accountId: user, name: user }, address: "192.0.2.1" },
      to(host, port),
      () => Promise.resolve(),
    );
  const fail = (user: string, host: string, port: number) =>
    editors
      .watched(
        { user: { accountId: user, name: user }, address: "192.0.2.1" },
        to(host, port),
        () => Promise.reject(new RportError("CONFLICT", "The client is away.")),
      )
      .catch(() => {});
  const bites = () => limits.states().find(({ name }) => name === "stream_entries_per_user")?.bites;
  return { entries, clock, lines, editors, dial, fail, bites };
}

const named = (entries: readonly AuditEntry[], target: string) =>
  entries.filter(({ affectedId }) => affectedId === target).map(({ user }) => user);

describe("the entries about streams of editors", () => {
  it("name what others open while one user opens ever other targets", async () => {
    const { entries, dial } = open();
    for (let port = 1; port <= 5_000; port += 1) await dial("mallory", "10.1.2.3", port);
    await dial("alice", "10.9.9.9", 22);
    expect(named(entries, "10.9.9.9:22")).toEqual(["alice"]);
  });

  it("of one user are no more than a number, and one a minute of each kind counts the others", async () => {
    const { entries, clock, lines, dial, fail, bites } = open(100);
    for (let port = 1; port <= 5_000; port += 1) {
      await dial("mallory", "10.1.2.3", port);
      await fail("mallory", "10.1.2.4", port);
    }
    await dial("alice", "10.9.9.9", 22);
    expect(entries).toHaveLength(101);
    clock.advance(60_000);
    expect(entries.slice(101)).toEqual(
      ["open", "failed"].map((action) =>
        expect.objectContaining({
          application: "client.tunnel.editor",
          action,
          user: "mallory",
          clientId: WEB,
          affectedId: undefined,
          response: { more: 4_950, within_seconds: 60 },
        }),
      ),
    );
    expect(bites()).toBe(9_900);
    expect(lines.filter((line) => line.includes("a limit was met"))).toHaveLength(1);
  });

  it("are written again when time has passed", async () => {
    const { entries, clock, dial } = open(100);
    for (let port = 1; port <= 200; port += 1) await dial("mallory", "10.1.2.3", port);
    clock.advance(HOUR_MS);
    await dial("mallory", "10.9.9.9", 22);
    expect(named(entries, "10.9.9.9:22")).toEqual(["mallory"]);
  });

  it("of one target count its own, also when nothing is left to be written", async () => {
    const { entries, clock, dial } = open(10);
    for (let n = 0; n < 1_000; n += 1) await dial("alice", "10.1.2.3", 80);
    expect(entries).toHaveLength(5);
    for (let port = 1; port <= 20; port += 1) await dial("alice", "10.1.2.4", port);
    expect(entries).toHaveLength(10);
    for (let n = 0; n < 1_000; n += 1) await dial("alice", "10.1.2.3", 80);
    clock.advance(60_000);
    expect(
      entries.slice(10).map(({ affectedId, response }) => [affectedId, response?.more]),
    ).toEqual([
      ["10.1.2.3:80", 1_995],
      [undefined, 15],
    ]);
  });

  it("are all there when the log is closed", async () => {
    const { entries, clock, editors, dial } = open(10);
    for (let n = 0; n < 7; n += 1) await dial("alice", "10.1.2.3", 80);
    for (let port = 1; port <= 20; port += 1) await dial("alice", "10.1.2.4", port);
    editors.close();
    const counted = entries.reduce((sum, { response }) => sum + Number(response?.more ?? 1), 0);
    expect([counted, clock.timers]).toEqual([27, 0]);
  });
});
