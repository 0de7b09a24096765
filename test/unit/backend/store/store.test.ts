import { execFileSync } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataPaths, isNew } from "../../../../backend/src/store/files/dataDirectory.ts";
import { writeDurably } from "../../../../backend/src/store/files/durableFile.ts";
import { lastOwnerOf } from "../../../../backend/src/store/files/lock.ts";
import type { Store } from "../../../../backend/src/store/store.ts";
import { openStore } from "../../../../backend/src/store/store.ts";
import { clientRecord } from "../../../support/backend/records.ts";
import { startChild } from "../../../support/child.ts";
import { FakeClock } from "../../../support/clock.ts";
import { canHaveTinyDisk, tinyDisk } from "../../../support/faults/tinyDisk.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

type Opened = Store & AsyncDisposable;

async function open(directory: string): Promise<Opened> {
  const store = await openStore({ directory, clock: new FakeClock(), log: testLog().log });
  return { ...store, [Symbol.asyncDispose]: () => store.close() };
}

function relabel(store: Store, label: string): Promise<void> {
  return store.document.update((data) => ({
    ...data,
    credentials: data.credentials.map((record) => ({ ...record, label })),
  }));
}

async function contents(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort();
  const texts = names.map(async (name) => [name, await readFile(join(directory, name), "hex")]);
  return Object.fromEntries(await Promise.all(texts));
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe("a data directory", () => {
  it("is filled once: one random credential without a secret, and two keys", async () => {
    await using directory = await tempDirectory();
    let first: Store;
    {
      await using store = await open(join(directory.path, "new", "data"));
      first = store;
      expect(store.isNew).toBe(true);
      expect(store.document.data.credentials).toMatchObject([
        { id: expect.stringMatching(/^fleet-[a-z2-9]{6}$/), label: "First credential" },
      ]);
      expect(await store.secretRows.all()).toEqual([]);
    }
    await using again = await open(first.paths.directory);
    expect(again.isNew).toBe(false);
    expect(again.identity).toEqual(first.identity);
    expect(again.document.data).toEqual(first.document.data);
  });

  it.runIf(process.getuid?.() === 0)(
    "says so where the directory belongs to another account, which may exchange its files",
    async () => {
      await using directory = await tempDirectory();
      const { log, lines } = testLog();
      const deps = { directory: directory.path, clock: new FakeClock(), log };
      await (await openStore(deps)).close();
      expect(lines.join()).not.toContain("another account");
      await chown(directory.path, 65_534, 65_534);
      await (await openStore(deps)).close();
      expect(lines.join()).toContain("the data directory belongs to another account");
    },
  );

  it("keeps its modes after many writes, also behind a symlink (D-08)", async () => {
    await using directory = await tempDirectory();
    const real = join(directory.path, "real");
    await mkdir(real);
    await chmod(real, 0o755);
    await symlink(real, join(directory.path, "link"));
    await using store = await open(join(directory.path, "link"));
    for (let n = 0; n < 100; n += 1) await relabel(store, String(n));
    await store.edits.commit([{ kind: "seen", record: clientRecord() }]);
    expect(await modeOf(real)).toBe("700");
    for (const name of await readdir(real)) {
      expect([name, await modeOf(join(real, name))]).toEqual([name, "600"]);
    }
    expect((await readdir(real)).sort()).toEqual([
      "audit.key",
      "lock",
      "lock.json",
      "rport.json",
      "rport.json.1",
      "rport.sqlite",
      "rport.sqlite-wal",
      "server.key",
      "verifier.key",
    ]);
  });

  it("that belongs to something else is refused and left alone (D-09)", async () => {
    await using directory = await tempDirectory();
    await writeFile(join(directory.path, "holiday.jpg"), "x");
    await expect(open(directory.path)).rejects.toMatchObject({ exitCode: 65 });
    await expect(open(directory.path)).rejects.toThrow("holiday.jpg");
    expect(await readdir(directory.path)).toEqual(["holiday.jpg"]);
  });

  it.each([
    ["rport.json", "rport.json is missing"],
    ["rport.sqlite", "is missing"],
    ["server.key", "server.key is missing"],
    ["verifier.key", "verifier.key is missing"],
  ])("without its %s is refused, not filled anew", async (name, message) => {
    await using directory = await tempDirectory();
    await (await open(directory.path)).close();
    await rm(join(directory.path, name));
    const before = await contents(directory.path);
    await expect(open(directory.path)).rejects.toThrow(message);
    expect(await contents(directory.path)).toEqual(before);
  });

  it.each([
    ["emptied", Buffer.alloc(0)],
    ["overwritten", Buffer.alloc(8_192, "no database ")],
  ])("whose database was %s is refused", async (_, content) => {
    await using directory = await tempDirectory();
    await (await open(directory.path)).close();
    await writeFile(join(directory.path, "rport.sqlite"), content);
    await expect(open(directory.path)).rejects.toMatchObject({ exitCode: 65 });
    await expect(open(directory.path)).rejects.toThrow("rport.sqlite");
  });

  it("whose filling was interrupted is filled to the end", async () => {
    await using directory = await tempDirectory();
    await (await open(directory.path)).close();
    const key = await readFile(join(directory.path, "server.key"), "utf8");
    await rm(join(directory.path, "rport.json"));
    await writeFile(join(directory.path, ".unfinished"), "");
    await using store = await open(directory.path);
    expect(store.isNew).toBe(true);
    expect(await readFile(join(directory.path, "server.key"), "utf8")).toBe(key);
    expect(await readdir(directory.path)).not.toContain(".unfinished");
  });

  it("loses the temporary files of a killed process, and nothing else", async () => {
    await using directory = await tempDirectory();
    const first = await open(directory.path);
    await relabel(first, "second");
    await first.close();
    await writeFile(join(directory.path, "rport.json.3141592653"), "half");
    await writeFile(join(directory.path, "rport.json.mine"), "kept");
    await using store = await open(directory.path);
    const names = await readdir(store.paths.directory);
    expect(names).not.toContain("rport.json.3141592653");
    expect(names).toEqual(expect.arrayContaining(["rport.json.1", "rport.json.mine"]));
  });
});

describe("ownership", () => {
  it("is refused to a second process, which names the first and exits 73 (C-27, D-07)", async () => {
    await using directory = await tempDirectory();
    await using store = await open(directory.path);
    await using second = startChild("backend/storeWriter.ts", [directory.path]);
    let message = "";
    second.process.stderr?.setEncoding("utf8").on("data", (text) => {
      message += text;
    });
    expect(await second.exited).toBe(73);
    expect(message).toContain(`${directory.path} is in use by process ${process.pid}`);
    await relabel(store, "still mine");
  });

  it("ends with the process, even with kill -9; what was acknowledged is there (D-01, D-07)", async () => {
    await using directory = await tempDirectory();
    const seen = { document: -1, row: -1 };
    for (let round = 0; round < 4; round += 1) {
      await writeUntilKilled(directory.path, seen, 20 + round * 15);
      await using store = await open(directory.path);
      const label = Number(store.document.data.credentials[0]?.label);
      const rows = new Set((await store.clientRows.all()).map((record) => record.id as string));
      expect(label).toBeGreaterThanOrEqual(seen.document);
      expect(rows).toContain(`client-${seen.row}`);
    }
    expect(seen.document).toBeGreaterThan(4);
  }, 30_000);
});

/** Notes what the writer acknowledged; kills it after `lineCount` lines. */
async function writeUntilKilled(
  directory: string,
  seen: { document: number; row: number },
  lineCount: number,
): Promise<void> {
  const from = Math.max(seen.document, seen.row) + 1;
  await using child = startChild("backend/storeWriter.ts", [directory, String(from)]);
  let left = lineCount;
  for await (const line of child.lines) {
    const [kind, n] = line.split(" ");
    if (kind === "document" || kind === "row") seen[kind] = Number(n);
    left -= 1;
    if (left === 0) expect(lastOwnerOf(directory)?.pid).toBe(child.process.pid);
    if (left <= 0) child.process.kill("SIGKILL");
  }
}

const canMount = await canHaveTinyDisk();

describe("a full disk", () => {
  it.skipIf(!canMount)(
    "that takes half of a file keeps the old one (D-04; skipped where mounting is not allowed)",
    async () => {
      await using disk = await tinyDisk(256);
      const path = join(disk.path, "file");
      await writeDurably(path, "a".repeat(100_000));
      await expect(writeDurably(path, "b".repeat(190_000))).rejects.toMatchObject({
        code: "ENOSPC",
      });
      expect(await readFile(path, "utf8")).toBe("a".repeat(100_000));
      expect(await readdir(disk.path)).toEqual(["file"]);
    },
  );

  it.skipIf(!canMount)(
    "refuses changes with 507, keeps old and new data apart, and recovers (D-04; skipped where mounting is not allowed)",
    async () => {
      await using disk = await tinyDisk(256);
      const { path } = disk;
      {
        await using store = await open(path);
        await relabel(store, "before");
        await disk.fill();
        await expect(relabel(store, "x".repeat(200))).rejects.toMatchObject({ code: "DISK_FULL" });
        expect(store.document.data.credentials[0]?.label).toBe("before");
        const record = clientRecord({ labels: { big: "y".repeat(900) } });
        const puts = Array.from({ length: 100 }, (_, n) =>
          store.edits.commit([
            { kind: "seen", record: { ...record, id: `c-${n}` as typeof record.id } },
          ]),
        );
        const results = await Promise.allSettled(puts);
        const failed = results.filter((result) => result.status === "rejected");
        expect(failed.length).toBeGreaterThan(0);
        for (const result of failed) expect(result.reason).toMatchObject({ code: "DISK_FULL" });
        expect(await readdir(path)).not.toContainEqual(expect.stringMatching(/json\.\d{2,}/));
        await disk.empty();
        await relabel(store, "after");
        await store.edits.commit([{ kind: "seen", record }]);
      }
      await using store = await open(path);
      expect(store.document.data.credentials[0]?.label).toBe("after");
      expect(await store.clientRows.all()).toContainEqual(
        clientRecord({ labels: { big: "y".repeat(900) } }),
      );
    },
  );
});

it("finds a directory that another start is just filling new or filled, whenever it looks", async () => {
  const wrong: unknown[] = [];
  for (let round = 0; round < 10; round += 1) {
    await using directory = await tempDirectory();
    const filling = openStore({
      directory: directory.path,
      clock: new FakeClock(),
      log: testLog().log,
    });
    let isFilling = true;
    const look = async (): Promise<void> => {
      while (isFilling) {
        await isNew(dataPaths(directory.path)).catch((caught: unknown) => wrong.push(caught));
      }
    };
    const looks = [look(), look(), look()];
    const store = await filling;
    isFilling = false;
    await Promise.all(looks);
    await store.close();
  }
  expect(wrong).toEqual([]);
});

it.skipIf(!(await canHaveTinyDisk()))(
  "is refused with the true reason where the file system is read-only (skipped where mounting is not allowed)",
  async () => {
    await using disk = await tinyDisk(64);
    execFileSync("mount", ["-o", "remount,ro", disk.path]);
    await expect(open(join(disk.path, "data"))).rejects.toThrow("EROFS");
    await expect(open(join(disk.path, "data"))).rejects.toMatchObject({ exitCode: 74 });
  },
);
