import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { lastNumbers } from "../../../../backend/src/audit/lastNumbers.ts";
import { openStore, type Store, type StoreDeps } from "../../../../backend/src/store/store.ts";
import { clientRecord } from "../../../support/backend/records.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const RECORDS = 300;
const PAGE_BYTES = 4_096;

type Damage = (database: string) => Promise<void>;

const open = (directory: string, more: Partial<StoreDeps> = {}): Promise<Store> =>
  openStore({ directory, clock: new FakeClock(), log: testLog().log, ...more });

/** Somebody who knows of commits up to this one. */
const knowing = (commit: number) => () => Promise.resolve({ commit, revision: 0 });

/** So many records of hosts, one commit each. */
async function put(store: Store, ids: readonly string[]): Promise<void> {
  const tags = ["x".repeat(400)];
  for (const id of ids) {
    const record = clientRecord({ id: clientIdSchema.parse(id), tags });
    await store.edits.commit([{ kind: "seen", record }]);
  }
}

/** What a killed process leaves: most is in the main file, the newest in the write-ahead log. */
async function killed(directory: string): Promise<{ path: string; lastCommit: number }> {
  const [live, path] = [join(directory, "live"), join(directory, "killed")];
  const first = await open(live);
  await put(
    first,
    Array.from({ length: RECORDS }, (_, n) => `host-${n}`),
  );
  await first.close();
  const second = await open(live);
  await put(second, ["newest"]);
  await cp(live, path, { recursive: true });
  const lastCommit = second.lastNumbers().commit;
  await second.close();
  return { path, lastCommit };
}

/** Everything but who had the directory last. */
async function contents(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).filter((name) => name !== "lock.json").sort();
  const texts = names.map(async (name) => [name, await readFile(join(directory, name), "hex")]);
  return Object.fromEntries(await Promise.all(texts));
}

function flip(at: number): Damage {
  return async (database) => {
    const bytes = await readFile(database);
    bytes.fill(0xff, at, at + 16);
    await writeFile(database, bytes);
  };
}

const MAIN: readonly [string, Damage, string][] = [
  ["is empty", (database) => truncate(database, 0), "is empty"],
  ["was cut in the middle", (database) => truncate(database, 20 * PAGE_BYTES), "rport.sqlite"],
  ["was cut within its header", (database) => truncate(database, 50), "rport.sqlite"],
  [
    "was overwritten",
    (database) => writeFile(database, Buffer.alloc(30 * PAGE_BYTES, "no database ")),
    "rport.sqlite",
  ],
  ["has a damaged page", flip(10 * PAGE_BYTES), "damaged"],
];

describe("D-09: a database of which the main file", () => {
  it.each(MAIN)(
    "%s, and not the write-ahead log, is refused, and both files stay as they are",
    async (_, damage, why) => {
      await using directory = await tempDirectory();
      const { path } = await killed(directory.path);
      await damage(join(path, "rport.sqlite"));
      const before = await contents(path);
      expect(before["rport.sqlite-wal"]?.length).toBeGreaterThan(PAGE_BYTES);
      const start = open(path);
      await expect(start).rejects.toMatchObject({ exitCode: 65 });
      await expect(start).rejects.toThrow(why);
      await expect(start).rejects.toThrow("Nothing was changed");
      expect(await contents(path)).toEqual(before);
    },
  );
});

/** Bytes of the write-ahead log: its header, then frames. */
const WAL: readonly [string, Damage][] = [
  ["is cut", (database) => truncate(`${database}-wal`, 32 + 100)],
  ["is empty", (database) => truncate(`${database}-wal`, 0)],
  ["is garbage", (database) => writeFile(`${database}-wal`, Buffer.alloc(9_000, "garbage "))],
  ["has a flipped byte", (database) => flip(200)(`${database}-wal`)],
];

describe("D-09: a database of which the write-ahead log", () => {
  it.each(WAL)("%s is refused when it lacks a commit that is known", async (_, damage) => {
    await using directory = await tempDirectory();
    const { path, lastCommit } = await killed(directory.path);
    await damage(join(path, "rport.sqlite"));
    const before = await contents(path);
    const start = open(path, { knownNumbers: knowing(lastCommit) });
    await expect(start).rejects.toMatchObject({ exitCode: 65 });
    await expect(start).rejects.toThrow(/lacks changes .*--accept-lost-changes/);
    expect(await contents(path)).toEqual(before);
  });

  it.each(WAL)("%s starts when nothing is known to be missing", async (_, damage) => {
    await using directory = await tempDirectory();
    const { path, lastCommit } = await killed(directory.path);
    await damage(join(path, "rport.sqlite"));
    const store = await open(path, { knownNumbers: knowing(lastCommit - 1) });
    expect(await store.clientRows.all()).toHaveLength(RECORDS);
    expect(store.lostChanges.commit).toBe(0);
    await store.close();
  });

  it("is intact has the newest commit, and looking at it first leaves nothing behind (D-01)", async () => {
    await using directory = await tempDirectory();
    const { path, lastCommit } = await killed(directory.path);
    const store = await open(path, { knownNumbers: knowing(lastCommit) });
    const ids = (await store.clientRows.all()).map(({ id }) => `${id}`);
    expect(ids).toContain("newest");
    expect((await readdir(path)).filter((name) => name.includes("look"))).toEqual([]);
    await store.close();
  });

  it("is lost is taken when somebody says so, and never meets the same numbers again", async () => {
    await using directory = await tempDirectory();
    const { path, lastCommit } = await killed(directory.path);
    await truncate(join(path, "rport.sqlite-wal"), 0);
    const knownNumbers = knowing(lastCommit + 4);
    const store = await open(path, { knownNumbers, acceptLostChanges: true });
    expect(store.lostChanges.commit).toBe(5);
    await put(store, ["later"]);
    expect(store.lastNumbers().commit).toBe(lastCommit + 5);
    await store.close();
    await (await open(path, { knownNumbers })).close();
  });
});

describe("D-09: a database and a write-ahead log of different times", () => {
  /** One directory after a kill, and the files of the same directory as they were before. */
  async function twoTimes(directory: string) {
    const { path, lastCommit } = await killed(directory);
    const early = join(directory, "early");
    await cp(path, early, { recursive: true });
    const store = await open(path);
    await put(store, ["host-0", "later"]);
    await store.close();
    const next = await open(path);
    await put(next, ["last"]);
    const late = join(directory, "late");
    await cp(path, late, { recursive: true });
    await next.close();
    return { early, late, lastCommit: lastCommit + 3 };
  }

  it("are refused where the database is the older one, also by somebody who takes losses, and stay as they are", async () => {
    await using directory = await tempDirectory();
    const { early, late, lastCommit } = await twoTimes(directory.path);
    await cp(join(early, "rport.sqlite"), join(late, "rport.sqlite"));
    const before = await contents(late);
    for (const acceptLostChanges of [false, true]) {
      const start = open(late, {
        knownNumbers: knowing(lastCommit),
        acceptLostChanges,
      });
      await expect(start).rejects.toMatchObject({ exitCode: 65 });
      await expect(start).rejects.toThrow("not of the same time");
    }
    expect(await contents(late)).toEqual(before);
  });

  it("are refused where the log is the older one, though nobody knows of a later commit", async () => {
    await using directory = await tempDirectory();
    const { early, late } = await twoTimes(directory.path);
    await cp(join(early, "rport.sqlite-wal"), join(late, "rport.sqlite-wal"));
    await expect(open(late)).rejects.toThrow("not of the same time");
  });

  it("are nothing that a leap over lost commits leaves, whenever it is killed", async () => {
    await using directory = await tempDirectory();
    const { path, lastCommit } = await killed(directory.path);
    await truncate(join(path, "rport.sqlite-wal"), 0);
    const knownNumbers = knowing(lastCommit + 1_000);
    const store = await open(path, { knownNumbers, acceptLostChanges: true });
    await put(store, ["later"]);
    const copy = join(directory.path, "copy");
    await cp(path, copy, { recursive: true });
    await store.close();
    const next = await open(copy, { knownNumbers });
    expect(next.lastNumbers().commit).toBe(lastCommit + 1_001);
    await next.close();
  });
});

it("D-09: an audit log that cannot be read stops the start in a sentence that names it", async () => {
  await using directory = await tempDirectory();
  const { path } = await killed(directory.path);
  await rm(join(path, "audit"), { recursive: true, force: true });
  await writeFile(join(path, "audit"), "");
  const start = open(path, {
    knownNumbers: ({ audit }, { auditKey }) => lastNumbers(audit, auditKey),
  });
  await expect(start).rejects.toMatchObject({ exitCode: 74 });
  await expect(start).rejects.toThrow(join(path, "audit"));
});
