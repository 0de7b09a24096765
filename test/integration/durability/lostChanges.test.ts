import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isLetIn } from "../../support/agents/peerAgent.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import {
  runBackend,
  type SpawnedBackend,
  spawnBackend,
} from "../../support/backend/spawnBackend.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const params = { authId: FLEET };

/** The fleet's only secret is revoked, as the answer says. */
async function revoke({ api }: SpawnedBackend): Promise<void> {
  const [secret] = await api.call("listSecrets", { params });
  await api.call("revokeSecret", { params: { ...params, secretId: secret?.id ?? "" } });
}

async function stop(backend: SpawnedBackend): Promise<void> {
  backend.signal("SIGTERM");
  await backend.ended;
}

const loginOf = ({ endpoint: { url } }: SpawnedBackend, password: string) => ({
  url,
  user: FLEET,
  password,
});

/** Everything on disk but who had the directory last. */
async function contents(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = entries.filter((one) => one.isFile() && one.name !== "lock.json");
  const texts = files.map(async ({ name }) => [name, await readFile(join(directory, name), "hex")]);
  return Object.fromEntries(await Promise.all(texts));
}

it("D-01, D-09: a lost write-ahead log does not bring a revoked secret back: the start is refused, until the log is put back", async () => {
  await using temp = await tempDirectory();
  const dataDir = join(temp.path, "data");
  const wal = join(dataDir, "rport.sqlite-wal");
  await using first = await spawnBackend(dataDir);
  const password = await makeFleet(first.api);
  await revoke(first);
  await first.kill();
  await cp(wal, join(temp.path, "kept"));
  await rm(wal);

  const before = await contents(dataDir);
  const refused = await runBackend(["--data-dir", dataDir, "--port", "0"]);
  expect(refused.code).toBe(65);
  expect(refused.stderr).toContain(join(dataDir, "rport.sqlite"));
  expect(refused.stderr).toMatch(/lacks changes .* revoked .* --accept-lost-changes/s);
  expect(await contents(dataDir)).toEqual(before);

  await cp(join(temp.path, "kept"), wal);
  await using second = await spawnBackend(dataDir);
  expect(await isLetIn(loginOf(second, password))).toBe(false);
});

it("D-09: an older copy of the database alone is refused, and taken only by somebody who says so; the audit log has it", async () => {
  await using temp = await tempDirectory();
  const dataDir = join(temp.path, "data");
  const [database, copy] = [join(dataDir, "rport.sqlite"), join(temp.path, "copy")];
  const first = await spawnBackend(dataDir);
  const password = await makeFleet(first.api);
  await stop(first);
  await cp(database, copy);
  const second = await spawnBackend(dataDir);
  await revoke(second);
  await stop(second);
  await cp(copy, database);

  const { code } = await runBackend(["--data-dir", dataDir, "--port", "0"]);
  expect(code).toBe(65);
  await using third = await spawnBackend(dataDir, ["--accept-lost-changes"]);
  expect(third.stderr()).toContain("without changes that were made");
  expect(await isLetIn(loginOf(third, password))).toBe(true);
  const query = { sort: "-seq", "filter[application]": "server", "filter[action]": "start" };
  const [start] = await third.api.call("listAudit", { query });
  expect(JSON.parse(start?.request ?? "{}")).toMatchObject({ lost_changes: expect.any(Number) });
  await revoke(third);
  await third.kill();
  await using fourth = await spawnBackend(dataDir);
  expect(await isLetIn(loginOf(fourth, password))).toBe(false);
});

/** A user of the server, and the token that programs of hers use. */
async function makeEve({ api }: SpawnedBackend): Promise<string> {
  const body = { username: "eve", password: "correct horse battery" };
  expect((await api.raw("POST", "/users", { body })).status).toBe(201);
  const token = { name: "programs", scope: "read+write" };
  const made = await api.raw("POST", "/users/eve/tokens", { body: token });
  return (made.body as { data: { token: string } }).data.token;
}

/** What the server answers whoever comes with this token. */
async function answerTo(token: string, { endpoint }: SpawnedBackend): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  return (await fetch(`${endpoint.url}/api/v1/me`, { headers })).status;
}

async function disableEve({ api }: SpawnedBackend): Promise<void> {
  expect((await api.raw("POST", "/users/eve/disable")).status).toBeLessThan(300);
}

it("D-09: the document before the last change, which is what is left of a damaged one, does not bring back whom that change disabled", async () => {
  await using temp = await tempDirectory();
  const dataDir = join(temp.path, "data");
  const document = join(dataDir, "rport.json");
  await using first = await spawnBackend(dataDir);
  const token = await makeEve(first);
  expect(await answerTo(token, first)).toBe(200);
  await disableEve(first);
  expect(await answerTo(token, first)).toBe(401);
  await first.kill();

  await writeFile(document, "{");
  const damaged = await runBackend(["--data-dir", dataDir, "--port", "0"]);
  expect(damaged.stderr).toContain(`cp -p '${document}.1' '${document}'`);
  expect(damaged.stderr).toContain("--accept-lost-changes");
  await cp(`${document}.1`, document);
  const before = await contents(dataDir);
  const refused = await runBackend(["--data-dir", dataDir, "--port", "0"]);
  expect(refused.code).toBe(65);
  expect(refused.stderr).toContain(document);
  expect(refused.stderr).toMatch(/lacks changes .* good again.* --accept-lost-changes/s);
  expect(await contents(dataDir)).toEqual(before);
});

it("D-09: an older copy of the document is taken only by somebody who says so, once; the log and the audit log have it", async () => {
  await using temp = await tempDirectory();
  const dataDir = join(temp.path, "data");
  const [document, copy] = [join(dataDir, "rport.json"), join(temp.path, "copy")];
  const first = await spawnBackend(dataDir);
  const token = await makeEve(first);
  await stop(first);
  await cp(document, copy);
  const second = await spawnBackend(dataDir);
  await disableEve(second);
  await stop(second);
  await cp(copy, document);
  const { code } = await runBackend(["--data-dir", dataDir, "--port", "0"]);
  expect(code).toBe(65);

  await using third = await spawnBackend(dataDir, ["--accept-lost-changes"]);
  expect(third.stderr()).toContain("the document is taken without changes that were made");
  expect(await answerTo(token, third)).toBe(200);
  const query = { sort: "-seq", "filter[application]": "server", "filter[action]": "start" };
  const [start] = await third.api.call("listAudit", { query });
  const request = JSON.parse(start?.request ?? "{}");
  expect(request).toMatchObject({ lost_document_changes: expect.any(Number) });
  expect(request).not.toHaveProperty("lost_changes");
  await third.kill();

  await using fourth = await spawnBackend(dataDir);
  await disableEve(fourth);
  await fourth.kill();
  await using fifth = await spawnBackend(dataDir);
  expect(await answerTo(token, fifth)).toBe(401);
});

it("D-10: a document that was never numbered starts, and is numbered from its first change on", async () => {
  await using temp = await tempDirectory();
  const dataDir = join(temp.path, "data");
  const document = join(dataDir, "rport.json");
  const first = await spawnBackend(dataDir);
  await stop(first);
  const { sha256: _, ...file } = JSON.parse(await readFile(document, "utf8"));
  const { revision: __, ...settings } = file.data.settings;
  const earlier = { ...file, schema_version: 2, data: { ...file.data, settings } };
  await writeFile(document, JSON.stringify(earlier));
  // Nor did that program tell its audit log of numbers.
  await rm(join(dataDir, "audit"), { recursive: true });

  await using second = await spawnBackend(dataDir);
  const token = await makeEve(second);
  await disableEve(second);
  await second.kill();
  await using third = await spawnBackend(dataDir);
  expect(await answerTo(token, third)).toBe(401);
  await third.kill();
  await writeFile(document, JSON.stringify(earlier));
  const { code } = await runBackend(["--data-dir", dataDir, "--port", "0"]);
  expect(code).toBe(65);
});

it("D-01: whatever moment a killed server's last entry is from, the next start finds all that it tells of", async () => {
  await using temp = await tempDirectory();
  for (let round = 0; round < 6; round += 1) {
    await using backend = await spawnBackend(temp.path);
    const { api } = backend;
    const changes = Array.from({ length: 30 }, (_, n) =>
      api.call("createCredential", { body: { id: `made-${round}-${n}` } }),
    );
    const settled = Promise.allSettled(changes);
    await Promise.all(changes.slice(0, round * 5 + 1));
    await backend.kill();
    await settled;
  }
  await using last = await spawnBackend(temp.path);
  expect((await last.api.call("listCredentials")).length).toBeGreaterThan(6);
}, 60_000);
