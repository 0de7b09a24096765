import { cp, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { within } from "../../support/within.ts";

/** How a backend ends whose directory is no longer at its place. */
const IO = 74;

async function stop(backend: SpawnedBackend): Promise<void> {
  backend.signal("SIGTERM");
  await backend.ended;
}

async function makeUser({ api }: SpawnedBackend, username: string): Promise<void> {
  const body = { username, password: "correct horse battery" };
  expect((await api.raw("POST", "/users", { body })).status).toBe(201);
}

/** A token of a user, which is used by what comes later: its use is written at the stop. */
async function makeToken({ api }: SpawnedBackend, username: string): Promise<string> {
  const body = { name: "programs", scope: "read" };
  const made = await api.raw("POST", `/users/${username}/tokens`, { body });
  return (made.body as { data: { token: string } }).data.token;
}

async function useToken({ endpoint }: SpawnedBackend, token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}` };
  expect((await fetch(`${endpoint.url}/api/v1/me`, { headers })).status).toBe(200);
}

async function usersOf({ api }: SpawnedBackend): Promise<string[]> {
  const { body } = await api.raw("GET", "/users");
  return (body as { data: { username: string }[] }).data.map(({ username }) => username).sort();
}

/** Every file in the directory and below it. */
async function contents(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const texts = paths.map(async (path) => [path, await readFile(path, "hex")]);
  return Object.fromEntries(await Promise.all(texts));
}

/** A backend that runs, with a user and a token, while its directory is moved away for a backup of it. */
async function movedUnder(temp: string) {
  const [dataDir, backup] = [join(temp, "data"), join(temp, "backup")];
  const before = await spawnBackend(dataDir);
  await makeUser(before, "anna");
  const token = await makeToken(before, "anna");
  await stop(before);
  await cp(dataDir, backup, { recursive: true });
  const running = await spawnBackend(dataDir);
  return {
    dataDir,
    running,
    token,
    async move(): Promise<void> {
      await rename(dataDir, join(temp, "broken"));
      await cp(backup, dataDir, { recursive: true });
    },
    [Symbol.asyncDispose]: running.kill,
  };
}

it.each(["a change", "its stop", "nothing at all"] as const)(
  "D-07, C-27: a backend whose directory was moved away leaves another's that runs in its place alone, and ends loudly, at %s",
  async (occasion) => {
    await using temp = await tempDirectory();
    await using moved = await movedUnder(temp.path);
    const { dataDir, running, token } = moved;
    await useToken(running, token);
    await moved.move();
    // at once: a process that has nothing to do sees it by itself within seconds
    if (occasion === "a change") {
      const body = { username: "clara", password: "correct horse battery" };
      const answer = running.api.raw("POST", "/users", { body });
      const status = await answer.then(({ status: given }) => given).catch(() => "no answer");
      expect([503, "no answer"]).toContain(status);
    }
    await using other = await spawnBackend(dataDir);
    await makeUser(other, "berta");
    await other.api.call("createCredential", { body: { id: "made-by-the-other" } });
    const owner = await readFile(join(dataDir, "lock.json"), "utf8");

    if (occasion === "its stop") running.signal("SIGTERM");
    const { code, stderr } = await within(
      "the one whose directory was moved to end",
      running.ended,
    );
    expect(code).toBe(IO);
    expect(stderr).toContain(`rport-backend: ${dataDir} was moved away`);
    expect(await readFile(join(dataDir, "lock.json"), "utf8")).toBe(owner);
    expect(await usersOf(other)).toEqual(["anna", "berta"]);
    await makeUser(other, "dora");
    await other.kill();

    await using next = await spawnBackend(dataDir);
    expect(await usersOf(next)).toEqual(["anna", "berta", "dora"]);
    const ids = (await next.api.call("listCredentials")).map(({ id }) => `${id}`);
    expect(ids).toContain("made-by-the-other");
  },
);

it("D-07: a backup that is put in the place of a running backend's directory is as it was when that has ended", async () => {
  await using temp = await tempDirectory();
  await using moved = await movedUnder(temp.path);
  const { dataDir, running, token } = moved;
  await useToken(running, token);
  await makeUser(running, "berta");
  await moved.move();
  const before = await contents(dataDir);
  running.signal("SIGTERM");
  expect((await running.ended).code).toBe(IO);
  expect(await contents(dataDir)).toEqual(before);
  await using next = await spawnBackend(dataDir);
  expect(await usersOf(next)).toEqual(["anna"]);
});

it("D-07: a backend whose lock was removed ends soon: nobody can tell any more whose directory it is", async () => {
  await using temp = await tempDirectory();
  await using moved = await movedUnder(temp.path);
  const { dataDir, running } = moved;
  await rename(join(dataDir, "lock"), join(temp.path, "lock"));
  const { code } = await within("it to end", running.ended);
  expect(code).toBe(IO);
  await using next = await spawnBackend(dataDir);
  expect(await usersOf(next)).toEqual(["anna"]);
});
