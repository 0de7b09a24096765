import { createSecretKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { AuditLog } from "../../backend/src/audit/log.ts";
import { systemClock } from "../../backend/src/platform/clock.ts";
import { isLetIn, PeerAgent } from "../support/agents/peerAgent.ts";
import { entry, MemoryFollower } from "../support/backend/auditLog.ts";
import { startBackend } from "../support/backend/backend.ts";
import { FLEET, makeFleet } from "../support/backend/fleet.ts";
import { testLog } from "../support/log.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const ENTRIES = 20_000;
const BATCH = 5_000;
const SEARCHES = 10;
/** As much work as one search may ask for. */
const HEAVY = { "filter[*]": Array.from({ length: 10 }, (_, n) => `*nothing-${n}*`).join(",") };

/** A directory whose audit log is as long as one of years. */
async function longLog(dataDir: string): Promise<void> {
  await (await startBackend({ dataDir }))[Symbol.asyncDispose]();
  const key = createSecretKey(await readFile(join(dataDir, "audit.key"), "utf8"), "hex");
  const audit = await AuditLog.open({
    directory: join(dataDir, "audit"),
    key,
    follower: new MemoryFollower(),
    clock: systemClock,
    log: testLog().log,
  });
  for (let n = 0; n < ENTRIES; n += 1) {
    audit.note(entry(n));
    if (n % BATCH === 0) await audit.settled();
  }
  await audit.close();
}

it("C-37: a revocation and a first join wait for no search of the audit log, however many there are", async () => {
  await using temp = await tempDirectory();
  await longLog(temp.path);
  await using backend = await startBackend({
    dataDir: temp.path,
    limits: { audit_query_ms: 60_000 },
  });
  const { api, url } = backend;
  const password = await makeFleet({ call: api });
  const login = { url: url.replace("http", "ws"), user: FLEET, password };
  await using agent = await PeerAgent.join(login);
  await api("listAudit", { query: {} });

  let finished = 0;
  const searches = Array.from({ length: SEARCHES }, async () => {
    await api("listAudit", { query: HEAVY });
    finished += 1;
  });
  await Promise.race(searches);
  const [secret] = await api("listSecrets", { params: { authId: FLEET } });
  await api("revokeSecret", { params: { authId: FLEET, secretId: secret?.id ?? "" } });
  await agent.closed;
  expect(await isLetIn({ ...login, url })).toBe(false);
  const later = await api("createCredential", { body: { id: "later" } });
  const introduction = { ID: "machine-2" };
  const other = { url: login.url, user: "later", password: later.password, introduction };
  await using _other = await PeerAgent.join(other);
  expect(finished).toBeLessThan(SEARCHES);
  await Promise.all(searches);
}, 60_000);
