import { spawnSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { installScene } from "../../../support/installer/installScene.ts";

/** More than all small files of an installation together. */
const PROGRAM_BYTES = 200 << 10;
const isRoot = process.getuid?.() === 0;

/** A scene whose prefix is to lie on a file system of its own, made with these options. */
async function sceneOn(options: string) {
  await using opened = new AsyncDisposableStack();
  const scene = opened.use(await installScene());
  await writeFile(scene.program, Buffer.alloc(PROGRAM_BYTES));
  const disk = dirname(scene.prefix);
  await mkdir(disk);
  mount(["-t", "tmpfs", "-o", options, "none", disk]);
  opened.defer(() => void spawnSync("umount", [disk]));
  const closing = opened.move();
  return {
    scene,
    remount: (changed: string) => mount(["-o", `remount,${changed}`, disk]),
    files: async () => (await readdir(disk, { recursive: true })).sort(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount failed: ${stderr}`);
}

describe.skipIf(!isRoot)("PAIR-26: a disk that is full in the middle of an installation", () => {
  test.each([
    { what: "bytes", option: (step: number) => `size=${4 + step * 8}k` },
    { what: "files", option: (step: number) => `nr_inodes=${2 + step}` },
  ])("of $what, at every step: nothing is left, and the next run works", async ({ option }) => {
    await using disk = await sceneOn(option(0));
    const { scene } = disk;
    let failures = 0;
    for (; failures < 60; failures++) {
      disk.remount(option(failures));
      const failure = await scene.run().catch((error: unknown) => error);
      if (failure === undefined) break;
      expect(failure).toMatchObject({ exitCode: expect.any(Number), name: "CliFailure" });
      expect(await disk.files()).toEqual([]);
      expect(scene.supervisor.isUp).toBe(false);
    }
    expect(failures).toBeGreaterThan(5);
    // What is small enough to be tried before is tried before: nearly no failure costs a token.
    expect(scene.tokens.spent).toBeLessThanOrEqual(3);
    expect((await disk.files()).filter((name) => /\.(new|previous)$/.test(name))).toEqual([]);
    await scene.remove();
    expect(await disk.files()).toEqual([]);
  });

  test("that is read-only is told before the token is spent", async () => {
    await using disk = await sceneOn("size=1m");
    disk.remount("ro");
    await expect(disk.scene.run()).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining("EROFS"),
    });
    expect(disk.scene.tokens.spent).toBe(0);
    disk.remount("rw");
    expect(await disk.files()).toEqual([]);
    await disk.scene.run();
    expect(disk.scene.tokens.spent).toBe(1);
  });
});
