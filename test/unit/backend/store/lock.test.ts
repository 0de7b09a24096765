import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, realpath, stat, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { lockDirectory } from "../../../../backend/src/store/files/lock.ts";
import { type Child, startChild } from "../../../support/child.ts";
import { FakeClock } from "../../../support/clock.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const STARTERS = 8;
const ROUNDS = 3;
const IN_USE = 73;
const LOCKER = fileURLToPath(new URL("../../../support/backend/locker.ts", import.meta.url));

const canUnshare = spawnSync("unshare", ["-n", "true"]).status === 0;

const startLocker = (directory: string) => startChild("backend/locker.ts", [directory]);

/** Whether it has the directory now; false: it ended with 73. */
async function won(child: Child): Promise<boolean> {
  const line = await child.lines.next();
  if (line.done !== true) return line.value === "locked";
  expect(await child.exited).toBe(IN_USE);
  return false;
}

describe("the lock of a data directory", () => {
  it("D-07, C-27: of many that start at once exactly one has it, and after its kill -9 exactly one of the next", async () => {
    await using directory = await tempDirectory();
    for (let round = 0; round < ROUNDS; round += 1) {
      const children = Array.from({ length: STARTERS }, () => startLocker(directory.path));
      const results = await Promise.all(children.map(won));
      expect(results.filter((isWinner) => isWinner)).toHaveLength(1);
      for (const child of children) await child.kill();
    }
  }, 60_000);

  it("D-07: is held by no process that may not enter the directory, whatever it listens on", async () => {
    await using directory = await tempDirectory();
    const digest = createHash("sha256")
      .update(await realpath(directory.path))
      .digest("hex");
    const stranger = createServer().listen(`\0rport-${digest.slice(0, 32)}`);
    await once(stranger, "listening");
    const lock = lockDirectory(directory.path, new FakeClock());
    expect((await stat(join(directory.path, "lock"))).mode & 0o777).toBe(0o600);
    lock.release();
    stranger.close();
  });

  it("D-07: is the same under a link and under a very long path, and names its owner", async () => {
    await using directory = await tempDirectory();
    const long = join(directory.path, ...Array.from({ length: 6 }, () => "d".repeat(60)));
    await mkdir(long, { recursive: true });
    await symlink(long, join(directory.path, "link"));
    await using owner = startLocker(long);
    expect(await won(owner)).toBe(true);
    const attempt = () => lockDirectory(join(directory.path, "link"), new FakeClock());
    expect(attempt).toThrow(`in use by process ${owner.process.pid}`);
    await owner.kill();
    attempt().release();
    expect((await readFile(join(long, "lock"))).length).toBe(0);
  });

  it.skipIf(!canUnshare)(
    "D-07: is the same in another network namespace (skipped where there is none to be had)",
    async () => {
      await using directory = await tempDirectory();
      const lock = lockDirectory(directory.path, new FakeClock());
      const child = spawn("unshare", ["-n", process.execPath, LOCKER, directory.path]);
      expect((await once(child, "exit"))[0]).toBe(IN_USE);
      lock.release();
    },
  );
});
