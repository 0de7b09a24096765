import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakes, only, runInstaller, TOKEN } from "../support/installer/runInstaller.ts";
import { stubAgent, stubRelease } from "../support/installer/stubRelease.ts";
import { refusingPort } from "../support/refusingPort.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { run } from "../support/systemd/process.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const NAME = "rport-agent-linux-x64";
const NOBODY = 65_534;

test.each([[[]], [["--dry-run"]]])("removes no folder of a prefix by itself (%j)", async (more) => {
  await using release = await stubRelease();
  const prefix = join(release.directory, "prefix");
  const kept = ["rport-a1B2c3", "rport-backup"];
  for (const name of kept) {
    await mkdir(join(prefix, name), { recursive: true });
    await writeFile(join(prefix, name, "probe"), "#!/bin/sh\n");
  }
  expect(await runInstaller(release, ["--token-stdin", ...more])).toMatchObject({ code: 0 });
  expect((await readdir(prefix)).sort()).toEqual(kept);
});

test("marks the folder that it works in, by which the agent knows it after a kill", async () => {
  const noting = (directory: string) => `cp "$TMPDIR/probe" '${directory}/called/probe'`;
  await using release = await stubRelease((directory) => [
    {
      target: "linux-x64",
      name: NAME,
      content: stubAgent(directory, { before: noting(directory) }),
    },
  ]);
  expect(await runInstaller(release, ["--token-stdin"])).toMatchObject({ code: 0 });
  const mark = await readFile(join(release.directory, "called/probe"), "utf8");
  expect(mark).toBe("#!/bin/sh\n# rport-installer.sh works here\n");
});

describe("downloads", () => {
  test.each([
    ["one byte is another", flipLastBit],
    ["the last byte is missing", (content: Buffer) => content.subarray(0, -1)],
    ["it is a page that explains something", () => Buffer.from("<html>Please log in</html>")],
  ])("S-07: when %s, status 6 and nothing of it runs", async (_, damage) => {
    await using release = await stubRelease();
    const content = release.served.get(NAME);
    release.served.set(NAME, damage(content ?? Buffer.of()));
    const result = await runInstaller(release, ["--token-stdin"]);
    expect(result).toMatchObject({ code: 6, left: [], stderr: expect.stringContaining(NAME) });
    expect(await release.call()).toBeUndefined();
  });

  test("a file that is not there is status 5, after some tries", async () => {
    await using release = await stubRelease();
    release.served.delete(NAME);
    const path = await fakes(release, { sleep: "exit 0" });
    const result = await runInstaller(release, ["--token-stdin"], { path });
    expect(result).toMatchObject({ code: 5, left: [] });
    expect(release.requests).toHaveLength(3);
  });

  test("a server that fails once is asked again", async () => {
    await using release = await stubRelease();
    release.trouble.left = 1;
    const path = await fakes(release, { sleep: `touch ${release.directory}/called/slept` });
    expect(await runInstaller(release, ["--token-stdin"], { path })).toMatchObject({ code: 0 });
    expect(release.requests).toHaveLength(2);
    expect(existsSync(join(release.directory, "called/slept"))).toBe(true);
  });

  test.each(["curl", "wget"])("a server that is busy is asked for minutes, by %s", async (tool) => {
    await using release = await stubRelease();
    release.trouble.left = 20;
    const waits = join(release.directory, "called/waits");
    const basics = "sh cat chmod ls mktemp rm wc head tail grep uname id sed env getconf ldd";
    const tools = await only(release, [...basics.split(" "), "sha256sum", tool]);
    const [fake] = (await fakes(release, { sleep: `echo "$1" >>${waits}` })).split(":");
    const path = `${fake}:${tools}`;
    const result = await runInstaller(release, ["--token-stdin"], { shell: ["/bin/dash"], path });
    expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining("busy") });
    expect(release.requests).toHaveLength(21);
    expect((await readFile(waits, "utf8")).trim().split("\n")).toEqual(Array(20).fill("5"));
  });

  test("a server that nobody listens at is status 5, with the address in the sentence", async () => {
    await using release = await stubRelease();
    const path = await fakes(release, { sleep: "exit 0" });
    await using refusing = await refusingPort();
    const url = `http://127.0.0.1:${refusing.port}`;
    const result = await runInstaller(release, ["--token-stdin", "--server", url], { path });
    expect(result).toMatchObject({ code: 5, left: [], stderr: expect.stringContaining(url) });
  });

  test("without curl and wget, or without a way to hash, it is status 3 at once", async () => {
    await using release = await stubRelease();
    const basics = "sh cat chmod ls mktemp rm wc head tail grep uname id sed env getconf".split(
      " ",
    );
    const shell = ["/bin/dash"];
    const path = await only(release, [...basics, "sha256sum"]);
    const unfetchable = await runInstaller(release, ["--token-stdin"], { shell, path });
    expect(unfetchable).toMatchObject({ code: 3, stderr: expect.stringContaining("curl") });
    await run("rm", [join(path, "sha256sum")]);
    const unverifiable = await runInstaller(release, ["--token-stdin"], { shell, path });
    expect(unverifiable).toMatchObject({ code: 3, stderr: expect.stringContaining("sha256sum") });
    expect(release.requests).toEqual([]);
  });
});

describe("exit status and temporary files", () => {
  test.each([1, 2, 4, 5, 7, 8, 9])("the agent's status %i is the installer's", async (status) => {
    await using release = await stubRelease((directory) => [
      { target: "linux-x64", name: NAME, content: stubAgent(directory, { status }) },
    ]);
    const result = await runInstaller(release, ["--token-stdin"]);
    expect(result).toMatchObject({ code: status, left: [] });
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s leaves nothing", async (signal) => {
    await using release = await stubRelease((directory) => {
      const before = `trap 'exit 1' INT TERM HUP; [ "$1" = --version ] || { touch ${directory}/called/started; sleep 1; }`;
      return [{ target: "linux-x64", name: NAME, content: stubAgent(directory, { before }) }];
    });
    await using temporary = await tempDirectory();
    const args = ["--server", release.url, "--prefix", join(temporary.path, "p"), "--token-stdin"];
    const env = { PATH: process.env.PATH ?? "", TMPDIR: temporary.path };
    const child = spawn("dash", [release.script, ...args], { env, detached: true });
    child.stdin.end(TOKEN);
    const ended = once(child, "exit");
    const started = join(release.directory, "called", "started");
    await expect.poll(() => existsSync(started)).toBe(true);
    process.kill(-(child.pid ?? Number.NaN), signal);
    const [code] = await ended;
    expect(code).toBe(1);
    expect(await readdir(temporary.path)).toEqual([]);
  });

  test("programs may be forbidden in the temporary directory", async (ctx) => {
    const reason = whyNoSystemd();
    ctx.skip(reason !== undefined, reason);
    await using release = await stubRelease();
    const prefix = join(release.directory, "prefix");
    await mkdir(prefix);
    const mounts = [
      "mount --bind /tmp /tmp",
      `mount --bind ${release.directory} ${release.directory}`,
      "mount -o remount,bind,noexec /tmp",
    ];
    const script = `${mounts.join(" && ")} && exec dash "$@"`;
    const shell = ["unshare", "--mount", "sh", "-c", script, "sh"];
    const result = await runInstaller(release, ["--token-stdin"], { shell });
    expect(result.code).toBe(0);
    expect((await release.call())?.environment).toMatch(`TMPDIR=${prefix}/rport-`);
    expect(await readdir(prefix)).toEqual([]);
  });
});

describe("wrong use", () => {
  test.each([
    ["no server", []],
    ["a server that is no address", ["--server", "example.com"]],
    ["a server with a line end", ["--server", "http://x\nrm"]],
    ["an option without its value", ["--server", "http://x", "--name"]],
    ["an unknown option", ["--server", "http://x", "--enable-sudo"]],
    ["no token and nobody to ask", ["--server", "http://x", "--yes", "--prefix", "/nowhere/p"]],
    ["a token file that is not there", ["--server", "http://x", "--token-file", "/nowhere"]],
  ])("%s is status 2", async (_, args) => {
    await using release = await stubRelease();
    const url = release.url;
    const words = args.map((word) => (word === "http://x" ? url : word));
    const result = await run("dash", [release.script, ...words]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(await release.call()).toBeUndefined();
  });

  test.each([TOKEN, `--token=${TOKEN}`])(
    "a token among the options is not repeated",
    async (word) => {
      await using release = await stubRelease();
      const result = await runInstaller(release, [word]);
      expect(result.code).toBe(2);
      expect(result.stderr + result.stdout).not.toContain(TOKEN);
    },
  );

  test("a token cannot come the way the script came", async () => {
    await using release = await stubRelease();
    const input = await readFile(release.script, "utf8");
    const args = ["-s", "--", "--server", release.url, "--prefix", "/nowhere", "--token-stdin"];
    const result = await run("dash", args, { input });
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("standard input") });
  });

  test("--help and --version need neither root nor a network", async () => {
    await using release = await stubRelease();
    const as = { uid: NOBODY, gid: NOBODY, encoding: "utf8" as const };
    const help = spawnSync("dash", [release.script, "--help"], as);
    expect(help).toMatchObject({ status: 0, stderr: "" });
    expect(help.stdout).toContain("--token-stdin");
    expect(spawnSync("dash", [release.script, "--version"], as).stdout).toBe("9.8.7\n");
    expect(release.requests).toEqual([]);
  });

  test("without root and without a prefix it is status 7, with the command to use", async (ctx) => {
    ctx.skip(process.getuid?.() !== 0, "only root can become somebody else");
    await using release = await stubRelease();
    const path = await fakes(release, { sudo: 'exec "$@"' });
    await chmod(join(release.directory, "fakes"), 0o755);
    const name = "it's $(id)";
    const args = [release.script, "--server", release.url, "--token-stdin", "--name", name];
    const result = spawnSync("dash", args, {
      uid: NOBODY,
      gid: NOBODY,
      encoding: "utf8",
      input: TOKEN,
      env: { PATH: path },
    });
    expect(result.status).toBe(7);
    expect(result.stderr).not.toContain(TOKEN);
    const hint = result.stderr.split("\n").find((line) => line.includes("sudo sh")) ?? "";
    // The hint is a command that a shell reads as it was meant: root tries it.
    const tried = await run("sh", ["-c", hint.replace("TOKEN", TOKEN)], { env: { PATH: path } });
    expect(tried.code).toBe(0);
    expect((await release.call())?.args).toContain(`--name=${name}`);
  });
});

describe("removing and telling", () => {
  test("are done by the program that is installed, with its exit status", async () => {
    await using release = await stubRelease();
    const bin = join(release.directory, "prefix", "bin");
    await mkdir(bin, { recursive: true });
    const program = join(bin, "rport-agent");
    await writeFile(program, stubAgent(release.directory, { status: 8 }));
    await chmod(program, 0o755);
    const status = await runInstaller(release, ["--status"]);
    expect(status.code).toBe(8);
    expect((await release.call())?.args[0]).toBe("status");
    await runInstaller(release, ["--uninstall", "--keep-config"]);
    const call = await release.call();
    expect(call?.args).toEqual([
      "uninstall",
      `--prefix=${release.directory}/prefix`,
      "--keep-config",
    ]);
    expect(release.requests).toEqual([]);
  });

  test("say so when nothing is installed", async () => {
    await using release = await stubRelease();
    const removed = await runInstaller(release, ["--uninstall", "--purge"]);
    expect(removed).toMatchObject({ code: 0, stderr: expect.stringContaining("no agent") });
    expect(await runInstaller(release, ["--status"])).toMatchObject({ code: 1 });
  });
});

function flipLastBit(content: Buffer): Buffer {
  const damaged = Buffer.from(content);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
  return damaged;
}
