import { chmod, chown, lchown, mkdir, readdir, rmdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { EXIT } from "../../../../agent/src/cli/cliFailure.ts";
import { LINUX } from "../../../../agent/src/machine/linux/linux.ts";
import { foreignOnWay } from "../../../../agent/src/machine/posix/trustedWay.ts";
import { SYSTEM_PROGRAMS } from "../../../../agent/src/machine/programs.ts";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { runService } from "../../../../agent/src/service/command.ts";
import { makeTemporary } from "../../../../agent/src/service/trustedWay.ts";
import { installScene } from "../../../support/installer/installScene.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const give = (path: string) => chown(path, NOBODY, NOBODY);
const installing = LINUX.installing({ programs: SYSTEM_PROGRAMS, clock: SYSTEM_CLOCK });

/** A folder of root's, and one of somebody else in it. */
async function folders() {
  const directory = await tempDirectory();
  await chmod(directory.path, 0o755);
  const own = join(directory.path, "own");
  const theirs = join(directory.path, "theirs");
  for (const each of [own, theirs]) await mkdir(each);
  await give(theirs);
  return { own, theirs, ...directory };
}

describe.skipIf(!isRoot)("the way to what root starts", () => {
  test("is root's alone, as far as there is one", async () => {
    await using at = await folders();
    for (const path of [at.own, join(at.own, "a", "b"), join(at.path, "missing"), "/tmp/missing"]) {
      expect(await foreignOnWay(path)).toBeUndefined();
    }
    for (const path of [at.theirs, join(at.theirs, "a", "b")]) {
      expect(await foreignOnWay(path)).toEqual({ path: at.theirs, uid: NOBODY });
    }
    await chmod(at.own, 0o1777);
    expect(await foreignOnWay(join(at.own, "x"))).toBeUndefined();
    for (const mode of [0o777, 0o775]) {
      await chmod(at.own, mode);
      expect(await foreignOnWay(join(at.own, "x"))).toEqual({ path: at.own, uid: undefined });
    }
  });

  test("is looked at behind links, one after the other", async () => {
    await using at = await folders();
    const link = join(at.path, "link");
    await symlink("own", link);
    expect(await foreignOnWay(join(link, "x"))).toBeUndefined();
    await symlink(join(at.own), join(at.theirs, "link"));
    const over = join(at.path, "over");
    await symlink("own/../theirs/link", over);
    expect(await foreignOnWay(join(over, "x"))).toMatchObject({ path: at.theirs });
    await chmod(at.own, 0o1777);
    const planted = join(at.own, "planted");
    await symlink("/etc", planted);
    await lchown(planted, NOBODY, NOBODY);
    expect(await foreignOnWay(planted)).toEqual({ path: planted, uid: NOBODY });
    await symlink("loop", join(at.path, "loop"));
    await expect(foreignOnWay(join(at.path, "loop"))).rejects.toThrow("too many links");
  });

  test("has a sentence that says whose it is, and what to do", async () => {
    await using at = await folders();
    const whyNot = await installing.whyNotAt(join(at.theirs, "x"));
    expect(whyNot).toContain(`${at.theirs} belongs to nobody.`);
    expect(whyNot).toMatch(/Choose a directory.* or do this as nobody: sudo -u nobody$/);
    await chown(at.theirs, 54_321, 54_321);
    expect(await installing.whyNotAt(at.theirs)).toMatch(/the user 54321: sudo -u '#54321'$/);
    await chmod(at.own, 0o777);
    expect(await installing.whyNotAt(at.own)).toContain(`chmod go-w ${at.own}`);
  });
});

describe.skipIf(!isRoot)("root", () => {
  test.each<[Parameters<typeof runService>[0], string[]]>([
    ["install", ["--server", "http://127.0.0.1:1", "--no-service"]],
    ["install", ["--server", "http://127.0.0.1:1", "--no-service", "--dry-run"]],
    ["uninstall", []],
    ["uninstall", ["--dry-run"]],
    ["background", ["start"]],
    ["background", ["restart"]],
    ["background", ["stop"]],
  ])("does nothing in a prefix of somebody else: %s %j", async (name, args) => {
    await using at = await folders();
    const bin = join(at.theirs, "bin");
    await mkdir(bin);
    const ran = join(at.path, "ran");
    await writeFile(join(bin, "rport-agent"), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
    await writeFile(join(at.theirs, "rport-agent.pid"), "1\n");
    for (const prefix of [at.theirs, join(at.theirs, "missing")]) {
      await expect(runService(name, [...args, "--prefix", prefix], LINUX)).rejects.toMatchObject({
        exitCode: EXIT.usage,
        message: expect.stringContaining("belongs to nobody"),
      });
    }
    expect((await readdir(at.theirs)).sort()).toEqual(["bin", "rport-agent.pid"]);
    expect(await readdir(at.path)).not.toContain("ran");
  });

  test("starts nothing in a prefix that somebody else has made meanwhile", async () => {
    await using it = await installScene();
    await chmod(it.directory.path, 0o1777);
    const installed = it.run({}, { installing: { ...it.installing, whyNotAt: made } });
    async function made(path: string) {
      await mkdir(it.prefix, { recursive: true });
      await give(it.prefix);
      return installing.whyNotAt(path);
    }
    await expect(installed).rejects.toMatchObject({ exitCode: EXIT.usage });
    expect(it.tokens.spent).toBe(0);
    expect(it.supervisor.notes).toEqual([]);
  });
});

describe.skipIf(!isRoot)("the temporary directory of root", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("is where the environment says, unless that is somebody else's", async () => {
    await using at = await folders();
    vi.stubEnv("TMPDIR", at.own);
    expect(await makeTemporary(installing)).toContain(join(at.own, "rport-install-"));
    vi.stubEnv("TMPDIR", at.theirs);
    const made = await makeTemporary(installing);
    expect(made).toMatch(/^\/tmp\/rport-install-/);
    await rmdir(made);
    const whyNotAt = async () => "It belongs to nobody.";
    await expect(makeTemporary({ whyNotAt })).rejects.toMatchObject({ exitCode: EXIT.failed });
  });
});
