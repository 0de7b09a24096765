import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type AuthId, authIdSchema, secretIdSchema } from "@rport/protocol/ids";
import type { Secret } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../../../backend/src/audit/entry.ts";
import { AuditIndex } from "../../../../../backend/src/audit/index/auditIndex.ts";
import { IndexFile } from "../../../../../backend/src/audit/index/indexFile.ts";
import { entriesAfter } from "../../../../../backend/src/audit/scan.ts";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import { systemClock } from "../../../../../backend/src/platform/clock.ts";
import { knownSecrets } from "../../../../../backend/src/users/administration/knownSecrets.ts";
import { AUDIT_KEY, testAuditLog } from "../../../../support/backend/auditLog.ts";
import { testLog } from "../../../../support/log.ts";

const TYPED = "user";
const SHOWN = "server";

function made(user: string, secret: string, chosenBy = SHOWN): AuditEntry {
  return {
    application: secret.startsWith("first") ? "client.auth" : "client.auth.secret",
    action: "create",
    user,
    affectedId: "fleet",
    request: { chosen_by: chosenBy },
    response: { secret_id: secret.padEnd(16, "0") },
  };
}

function renamed(from: string, to: string): AuditEntry {
  const request = { username: to };
  return { application: "auth.user", action: "update", user: "root", affectedId: from, request };
}

function renamedThemselves(from: string, to: string): AuditEntry {
  return { application: "auth.user.me", action: "update", user: from, request: { username: to } };
}

function secret(name: string, given: Partial<Secret> = {}): Secret {
  return {
    id: secretIdSchema.parse(name.padEnd(16, "0")),
    origin: "initial",
    state: "active",
    client_id: null,
    single_use: false,
    created_at: "2030-01-01T00:00:00.000Z",
    last_used_at: null,
    expires_at: null,
    ...given,
  } as Secret;
}

/** An audit log with these entries, and a search in it. */
async function scene(entries: readonly AuditEntry[], rowsMax = 200_000, oldIndex = false) {
  await using opened = new AsyncDisposableStack();
  const log = opened.use(await testAuditLog());
  const path = join(log.directory, "x.sqlite");
  for (const entry of entries) await log.audit.record(entry);
  await log.audit.settled();
  if (oldIndex) writeOldIndex(path);
  const database = new IndexFile({ path, log: testLog().log });
  opened.defer(() => database.close());
  const index = new AuditIndex({
    database,
    limits: new Limits({ clock: systemClock, log: testLog().log }),
    clock: systemClock,
    log: testLog().log,
    entriesAfter: (seq) => entriesAfter(log.directory, AUDIT_KEY, seq),
    rowsMax,
  });
  opened.defer(() => index.close());
  const closing = opened.move();
  return {
    async of(user: string, secrets: readonly Secret[]) {
      const ids: (string | AuthId)[] = [authIdSchema.parse("fleet")];
      const credentials = { secrets: (id: AuthId) => (ids.includes(id) ? secrets : []) };
      const found = await knownSecrets(user, { index, credentials, clock: log.clock });
      return found.map(({ secret_id: id, known_by: how }) => `${id.replace(/0+$/, "")} ${how}`);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** As a version before this one left it, with the newest entry only. */
function writeOldIndex(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`CREATE TABLE audit (
      seq INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, username TEXT NOT NULL,
      remote_ip TEXT NOT NULL, application TEXT NOT NULL, action TEXT NOT NULL,
      affected_id TEXT NOT NULL, client_id TEXT NOT NULL, client_hostname TEXT NOT NULL,
      hash TEXT NOT NULL, request TEXT NOT NULL, response TEXT NOT NULL
    ) STRICT;
    INSERT INTO audit VALUES (2, '', '', '', '', '', '', '', '', '', '{}', '{}');
    PRAGMA user_version = 1;`);
  database.close();
}

describe("the secrets that a user knows", () => {
  it("S-21: are those that they typed or were shown, and nobody else's", async () => {
    await using log = await scene([
      made("ann", "first"),
      made("ann", "second", TYPED),
      made("bob", "third"),
    ]);
    const all = ["first", "second", "third"].map((name) => secret(name));
    expect(await log.of("ann", all)).toEqual(["first shown", "second typed"]);
    expect(await log.of("bob", all)).toEqual(["third shown"]);
    expect(await log.of("eve", all)).toEqual([]);
  });

  it("are those that still work", async () => {
    const names = ["first", "grace", "revoked", "over", "gone"];
    await using log = await scene(names.map((name) => made("ann", name)));
    const found = await log.of("ann", [
      secret("first"),
      secret("grace", { state: "grace", expires_at: "2100-01-01T00:00:00.000Z" }),
      secret("revoked", { state: "revoked" }),
      secret("over", { expires_at: "2000-01-01T00:00:00.000Z" }),
    ]);
    expect(found).toEqual(["first shown", "grace shown"]);
  });

  it("are found under the names that they had before", async () => {
    const looksLikeSecret = "a".repeat(43);
    await using log = await scene([
      made("ann", "first"),
      renamed("ann", "anna"),
      made("anna", "second"),
      renamedThemselves("anna", looksLikeSecret),
      made(looksLikeSecret, "third"),
      made("bob", "fourth"),
      renamed("bob", "bo"),
    ]);
    const all = ["first", "second", "third", "fourth"].map((name) => secret(name));
    const found = ["first shown", "second shown", "third shown"];
    expect(await log.of(looksLikeSecret, all)).toEqual(found);
  });

  it.each([
    ["however many entries came since", 2, false],
    ["also of an index that an earlier version made", 200_000, true],
  ])("are found %s", async (_name, rowsMax, oldIndex) => {
    const others = Array.from({ length: 10 }, (_, count) => renamed(`x${count}`, `y${count}`));
    const stop: AuditEntry = { application: "server", action: "stop" };
    await using log = await scene([made("ann", "first"), ...others, stop], rowsMax, oldIndex);
    expect(await log.of("ann", [secret("first")])).toEqual(["first shown"]);
  });
});
