import { chmod, chown, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { isThere, only, runInstaller } from "../support/installer/runInstaller.ts";
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

  test("is led by links of its own, and nowhere by one of somebody else", async () => {
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
    expect(linked).toMatchObject({ code: 0 });
    await rm(join(other.directory, "called"), { recursive: true });
    await mkdir(join(other.directory, "called"));
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
    const first = join(ofOther, "first");
    await symlink(dirname(trap), first);
    await symlink(first, join(other.directory, "second"));
    const twice = await runInstaller(other, [
      "--status",
      "--prefix",
      join(other.directory, "second"),
    ]);
    expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining("theirs belongs to") });
  });

  test.for(SHELLS)(
    "in %s places nothing where somebody else could exchange it",
    async (name, ctx) => {
      const shell = name.split(" ");
      ctx.skip(!isThere(shell), `${name} is not installed`);
      await using release = await stubRelease();
      const theirs = join(release.directory, "theirs");
      await mkdir(theirs);
      await give(theirs);
      for (const prefix of [theirs, join(theirs, "missing", "prefix")]) {
        for (const more of [[], ["--dry-run"]]) {
          const args = ["--token-stdin", "--prefix", prefix, ...more];
          const result = await runInstaller(release, args, { shell });
          expect(result).toMatchObject({ code: 2, left: [] });
          expect(result.stderr).toContain(`${theirs} belongs to nobody`);
          expect(result.stderr).toContain("another --prefix");
        }
      }
      expect(await readdir(theirs)).toEqual([]);
      expect(release.requests).toEqual([]);
      expect(await release.call()).toBeUndefined();
    },
  );

  test.for(SHELLS)("in %s works in no folder of somebody else", async (name, ctx) => {
    const shell = name.split(" ");
    ctx.skip(!isThere(shell), `${name} is not installed`);
    await using release = await stubRelease();
    const theirs = join(release.directory, "theirs");
    await mkdir(theirs);
    await give(theirs);
    const env = { TMPDIR: theirs, HOME: theirs };
    expect(await runInstaller(release, ["--token-stdin"], { shell, env })).toMatchObject({
      code: 0,
    });
    expect((await release.call())?.environment).toMatch(/^TMPDIR=\/tmp\/rport-[^/]+$/m);
    expect(await readdir(theirs)).toEqual([]);
  });

  test("does not run the agent by a Node of somebody else", async () => {
    await using release = await stubRelease();
    const node = join(release.directory, "node");
    await writeFile(node, stubAgent(release.directory), { mode: MODE });
    const script = `#!/bin/sh\nexec '${node}' '${release.directory}/agent.cjs' "$@"\n`;
    const args = ["--status", "--prefix", await installed(release, script)];
    expect(await runInstaller(release, args)).toMatchObject({ code: 0 });
    await rm(join(release.directory, "called", "args"));
    await give(node);
    const result = await runInstaller(release, args);
    expect(result).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${node} belongs to`),
    });
    expect(await release.call()).toBeUndefined();
  });

  test.each(["curl", "wget"])(
    "has %s obey nothing in the home that the environment names",
    async (tool) => {
      await using release = await stubRelease();
      const home = join(release.directory, "home");
      await mkdir(home);
      const written = join(release.directory, "written");
      await writeFile(
        join(home, ".curlrc"),
        `proxy = "http://127.0.0.1:1"\ntrace-ascii = "${written}"\n`,
      );
      await writeFile(
        join(home, ".wgetrc"),
        `http_proxy = http://127.0.0.1:1\noutput_file = ${written}\n`,
      );
      const tools =
        "sh cat chmod ls mktemp rm wc head tail grep uname id sed env getconf sha256sum";
      const path = await only(release, [...tools.split(" "), tool]);
      const env = { HOME: home, CURL_HOME: home, WGETRC: join(home, ".wgetrc") };
      const result = await runInstaller(release, ["--token-stdin"], {
        env,
        path,
        shell: ["/bin/dash"],
      });
      expect(result).toMatchObject({ code: 0 });
      expect(await readdir(release.directory)).not.toContain("written");
    },
  );
});
