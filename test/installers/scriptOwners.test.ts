import { chmod, chown, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { isThere, runInstaller } from "../support/installer/runInstaller.ts";
import { type StubRelease, stubAgent, stubRelease } from "../support/installer/stubRelease.ts";

/** The first three have to be there on CI. */
const SHELLS = ["dash", "busybox ash", "bash --posix", "mksh", "yash", "posh"];
const NOBODY = 65_534;
const MODE = 0o755;
const isRoot = process.getuid?.() === 0;

/** An installation of root in a prefix whose name has a blank; answers the prefix. */
async function installed(release: StubRelease, text = stubAgent(release.directory)) {
  const prefix = join(release.directory, "a home", "prefix");
  const program = join(prefix, "bin", "rport-agent");
  for (const folder of [dirname(program), join(prefix, "lib")]) {
    await mkdir(folder, { recursive: true, mode: MODE });
  }
  await writeFile(program, text);
  await writeFile(join(prefix, "lib", "agent.cjs"), "");
  for (const name of ["bin/rport-agent", "lib/agent.cjs"]) await chmod(join(prefix, name), MODE);
  return prefix;
}

const give = (path: string) => chown(path, NOBODY, NOBODY);

/** What others than root could change, and what is said of it; by its path below the prefix. */
const FOREIGN: readonly [string, string, (path: string) => Promise<void>, RegExp][] = [
  ["the program", "bin/rport-agent", give, /belongs to nobody/],
  ["what the program runs", "lib/agent.cjs", give, /belongs to nobody/],
  ["its folder", "bin", give, /belongs to nobody/],
  ["the prefix", ".", give, /belongs to nobody/],
  ["a folder above", "..", give, /belongs to nobody/],
  ["a program that a group writes", "bin/rport-agent", (path) => chmod(path, 0o775), /go-w/],
  ["a folder that everybody writes", "..", (path) => chmod(path, 0o777), /go-w/],
];

describe.skipIf(!isRoot)("root", () => {
  test.for(SHELLS)("in %s runs what is root's, and nothing of somebody else", async (name, ctx) => {
    const shell = name.split(" ");
    const isNeeded = process.env.CI === "true" && SHELLS.indexOf(name) < 3;
    ctx.skip(!isThere(shell) && !isNeeded, `${name} is not installed`);
    await using release = await stubRelease();
    const prefix = await installed(release);
    const args = ["--status", "--prefix", prefix];
    expect(await runInstaller(release, args, { shell })).toMatchObject({ code: 0, stderr: "" });
    expect((await release.call())?.args[0]).toBe("status");
    await using other = await stubRelease();
    const foreign = await installed(other);
    await give(join(foreign, "bin"));
    const refused = await runInstaller(other, ["--status", "--prefix", foreign], { shell });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`${foreign}/bin belongs to nobody`);
    expect(refused.stderr).toContain("sudo -u nobody sh ");
    expect(refused.stderr).toContain(`'${foreign}'`);
    expect(await other.call()).toBeUndefined();
  });

  test.each(FOREIGN)("does not run the agent when %s is not root's alone", async (...row) => {
    const [, below, change, sentence] = row;
    for (const action of ["--status", "--uninstall"]) {
      await using release = await stubRelease();
      const prefix = await installed(release);
      await change(join(prefix, below));
      const result = await runInstaller(release, [action, "--prefix", prefix]);
      expect(result).toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) });
      expect(await release.call()).toBeUndefined();
    }
  });

  test.each([[[]], [["--force"]]])("installs over no such agent (%j)", async (more) => {
    await using release = await stubRelease();
    const prefix = await installed(release);
    await give(join(prefix, "bin", "rport-agent"));
    const args = ["--token-stdin", "--prefix", prefix, ...more];
    const result = await runInstaller(release, args);
    expect(result).toMatchObject({ code: 2, left: [] });
    expect(result.stderr).toContain("belongs to nobody");
    expect(await release.call()).toBeUndefined();
  });

  test("is led nowhere by a link of somebody else, or by one in the place of the program", async () => {
    await using release = await stubRelease();
    const prefix = await installed(release);
    const link = join(release.directory, "link");
    await symlink(prefix, link);
    expect(await runInstaller(release, ["--status", "--prefix", link])).toMatchObject({ code: 0 });
    await using other = await stubRelease();
    const trap = join(await installed(other), "trap");
    await mkdir(join(trap, "bin"), { recursive: true });
    await symlink("../../bin/rport-agent", join(trap, "bin", "rport-agent"));
    const linked = await runInstaller(other, ["--status", "--prefix", trap]);
    expect(linked).toMatchObject({ code: 2, stderr: expect.stringContaining("is a link") });
    const ofOther = join(other.directory, "theirs");
    await mkdir(ofOther);
    await symlink(dirname(trap), join(ofOther, "link"));
    await give(ofOther);
    const led = await runInstaller(other, ["--status", "--prefix", join(ofOther, "link")]);
    expect(led).toMatchObject({ code: 2, stderr: expect.stringContaining("theirs belongs to") });
    const away = join(other.directory, "away");
    await symlink(join(ofOther, "prefix"), away);
    await mkdir(join(ofOther, "prefix", "bin"), { recursive: true });
    const program = join(ofOther, "prefix", "bin", "rport-agent");
    await writeFile(program, stubAgent(other.directory), { mode: MODE });
    const kept = await runInstaller(other, ["--status", "--prefix", away]);
    expect(kept).toMatchObject({ code: 2, stderr: expect.stringContaining("theirs belongs to") });
    expect(await other.call()).toBeUndefined();
  });
});
