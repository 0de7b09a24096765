import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BackgroundProcess } from "../../../../agent/src/machine/posix/background.ts";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

/** A program in the place of the agent; it tells its session and then waits. */
const PROGRAM = `
process.on("SIGTERM", () => process.env.STUBBORN ? undefined : process.exit(0));
console.log("started with", Object.keys(process.env).sort().join());
setInterval(() => {}, 1000);
`;

const endsWith = async (pid: number, words: readonly string[]) =>
  (await readFile(`/proc/${pid}/cmdline`, "utf8")).endsWith(`\0${words.join("\0")}\0`);

async function createBackground() {
  const directory = await tempDirectory();
  const program = join(directory.path, "agent.cjs");
  await writeFile(program, PROGRAM);
  const config = join(directory.path, "rport.conf");
  const background = new BackgroundProcess({
    command: [process.execPath, program, "run", "-c", config],
    pidFile: join(directory.path, "pid"),
    logFile: join(directory.path, "log"),
    account: undefined,
    clock: SYSTEM_CLOCK,
    endsWith,
  });
  const pid = async () => Number(await readFile(join(directory.path, "pid"), "utf8"));
  return {
    background,
    config,
    path: directory.path,
    pid,
    async [Symbol.asyncDispose]() {
      await background.remove();
      await directory[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(process.platform !== "linux")("an agent without a service", () => {
  test("runs in a session of its own with a clean environment, until it is stopped", async () => {
    await using it = await createBackground();
    expect(await it.background.isInstalled()).toBe(false);
    await it.background.start();
    expect(await it.background.isRunning()).toBe(true);
    const stat = await readFile(`/proc/${await it.pid()}/stat`, "utf8");
    const [, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    expect(Number(session)).toBe(await it.pid());
    const names = "BUN_ENABLE_CRASH_REPORTING,DO_NOT_TRACK,LANG,PATH";
    await eventually(async () => {
      expect(await it.background.lastLines()).toEqual([`started with ${names}`]);
    });
    await it.background.stop();
    expect(await it.background.isRunning()).toBe(false);
    expect(await it.background.isInstalled()).toBe(false);
  });

  test("is replaced, not doubled, by another start", async () => {
    await using it = await createBackground();
    await it.background.start();
    const first = await it.pid();
    await it.background.start();
    expect(await it.pid()).not.toBe(first);
    // One that has ended, and whose end nobody has taken note of yet, has no command any more.
    const command = await readFile(`/proc/${first}/cmdline`, "utf8").catch(() => "");
    expect(command).toBe("");
  });

  test("another process that got its number is left alone", async () => {
    await using it = await createBackground();
    const other = spawn("sleep", ["60"]);
    await once(other, "spawn");
    await writeFile(join(it.path, "pid"), `${other.pid}\n`);
    expect(await it.background.isRunning()).toBe(false);
    await it.background.stop();
    expect(other.exitCode).toBeNull();
    expect(await readFile(`/proc/${other.pid}/cmdline`, "utf8")).toContain("sleep");
    other.kill("SIGKILL");
  });

  test.each(["", "nonsense", "1", "-5", "99999999"])(
    "a pid file with %j does no harm",
    async (text) => {
      await using it = await createBackground();
      await writeFile(join(it.path, "pid"), text);
      await it.background.stop();
      expect(await it.background.isRunning()).toBe(false);
    },
  );

  test("a program that cannot be started is an error", async () => {
    await using directory = await tempDirectory();
    const background = new BackgroundProcess({
      command: [join(directory.path, "missing"), "run", "-c", "x"],
      pidFile: join(directory.path, "pid"),
      logFile: join(directory.path, "log"),
      account: undefined,
      clock: SYSTEM_CLOCK,
      endsWith,
    });
    await expect(background.start()).rejects.toThrow("ENOENT");
    expect(await background.isInstalled()).toBe(false);
  });

  test("a link that comes into the place of the note of its number is not followed", async () => {
    await using at = await tempDirectory();
    const pidFile = join(at.path, "pid");
    const background = new BackgroundProcess({
      // Asked for once the old note is gone.
      get command(): [string, ...string[]] {
        symlinkSync(join(at.path, "precious"), pidFile);
        return [process.execPath, "-e", "", "run", "-c", "x"];
      },
      pidFile,
      logFile: join(at.path, "log"),
      account: undefined,
      clock: SYSTEM_CLOCK,
      endsWith,
    });
    await expect(background.start()).rejects.toThrow("EEXIST");
    expect((await readdir(at.path)).sort()).toEqual(["log", "pid"]);
  });

  test("a link in the place of the log is not followed", async () => {
    await using it = await createBackground();
    await mkdir(join(it.path, "target"));
    await symlink(join(it.path, "target", "planted"), join(it.path, "log"));
    await expect(it.background.start()).rejects.toThrow("ELOOP");
  });
});
