import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakes, isThere, only, runInstaller, TOKEN } from "../support/installer/runInstaller.ts";
import {
  executableOnly,
  stubAgent,
  stubBundle,
  stubRelease,
} from "../support/installer/stubRelease.ts";
import { openTerminal } from "../support/installer/terminal.ts";

/** The first three have to be there on CI. */
const SHELLS = ["dash", "busybox ash", "bash --posix", "mksh", "yash", "posh"];

/** Both: one executable and the bundle for Node. */
const withBundle = (directory: string) => [
  ...executableOnly(directory),
  { target: "node" as const, name: "agent.cjs", content: stubBundle(directory) },
];

const BASICS = "sh cat chmod ls mktemp rm wc head tail grep uname id dirname sed env getconf".split(
  " ",
);

describe("the script itself", () => {
  const file = new URL("../../installers/rport-installer.sh", import.meta.url).pathname;

  test("shellcheck has nothing to say about it", (ctx) => {
    const isMissing = !isThere(["shellcheck"]);
    if (isMissing && process.env.CI === "true") throw new Error("CI has to have shellcheck");
    ctx.skip(isMissing, "shellcheck is not installed");
    // Left out: a matter of taste (2250), and remarks that functions in conditions ignore set -e.
    const options = ["-s", "dash", "-o", "all", "-e", "SC2250,SC2310,SC2312"];
    const { stdout, status } = spawnSync("shellcheck", [...options, file], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  test("the template refuses to install anything", () => {
    const { status, stderr } = spawnSync("dash", [file, "--server", "http://127.0.0.1:1"]);
    expect(status).toBe(1);
    expect(stderr.toString()).toContain("template");
  });

  test("a copy with the line ends of Windows says so", async () => {
    await using release = await stubRelease();
    const text = await readFile(release.script, "utf8");
    await writeFile(release.script, text.replaceAll("\n", "\r\n"));
    const result = await runInstaller(release, ["--token-stdin"]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("line ends of Windows");
    expect(await release.call()).toBeUndefined();
  });

  test("cut off anywhere in its last kilobyte it runs nothing", async () => {
    await using release = await stubRelease();
    const whole = (await readFile(release.script)).subarray(0, -1);
    const cut = `${release.script}.cut`;
    for (let missing = 1; missing <= 1_024; missing += 1) {
      await writeFile(cut, whole.subarray(0, whole.length - missing));
      const args = [cut, "--server", release.url, "--token-stdin", "--prefix", `${cut}.d`];
      const { status } = spawnSync("dash", args, { input: TOKEN });
      expect.soft(status, `${missing} bytes are missing`).not.toBe(0);
    }
    expect(release.requests).toEqual([]);
    expect(await release.call()).toBeUndefined();
  });
});

describe("a run that works", () => {
  test.for(SHELLS)("in %s hands everything to the agent", async (name, ctx) => {
    const shell = name.split(" ");
    const isNeeded = process.env.CI === "true" && SHELLS.indexOf(name) < 3;
    ctx.skip(!isThere(shell) && !isNeeded, `${name} is not installed`);
    await using release = await stubRelease();
    const args = ["--token-stdin", "--name", "web 01", "--tag=a", "--tag", "b", "--no-service"];
    const result = await runInstaller(release, args, { shell });
    expect(result).toMatchObject({ code: 0, left: [] });
    const prefix = `--prefix=${join(release.directory, "prefix")}`;
    const options = [prefix, "--name=web 01", "--tag=a", "--tag=b", "--no-service"];
    expect(await release.call()).toMatchObject({
      args: ["install", "--token-stdin", `--server=${release.url}`, ...options],
      stdin: TOKEN,
    });
  });

  test("C-30, S-08: hostile values reach the agent as they are, and nobody else", async () => {
    await using release = await stubRelease();
    const mark = join(release.directory, "mark");
    const values = [
      `$(touch ${mark})`,
      `\`touch ${mark}\``,
      `'; touch ${mark}; '`,
      `" ; touch ${mark} #`,
      "-x",
      "--token-stdin",
      "",
      "a\nb",
      "\\",
      "*",
      "‘’ ü",
    ];
    const args = values.flatMap((value) => ["--tag", value]);
    const result = await runInstaller(release, ["--token-stdin", ...args]);
    expect(result.code).toBe(0);
    const call = await release.call();
    expect(call?.args.slice(4)).toEqual(values.map((value) => `--tag=${value}`));
    expect(existsSync(mark)).toBe(false);
  });

  test("the token is in no argument, no environment and no output", async () => {
    await using release = await stubRelease();
    const result = await runInstaller(release, ["--token-stdin", "--verbose"]);
    const call = await release.call();
    expect(call?.stdin).toBe(TOKEN);
    const seen = [call?.args, call?.environment, result.stdout, result.stderr].join(" ");
    expect(seen).not.toContain(TOKEN);
  });

  test("a token file is read, a terminal is asked without showing the answer", async () => {
    await using release = await stubRelease();
    const file = join(release.directory, "token");
    await writeFile(file, `${TOKEN}\n`);
    await runInstaller(release, ["--token-file", file], { input: "" });
    expect(await release.call()).toMatchObject({ stdin: `${TOKEN}\n` });

    const args = ["--server", release.url, "--prefix", join(release.directory, "p")];
    await using terminal = openTerminal(["dash", release.script, ...args]);
    await terminal.shows("Pairing token: ");
    terminal.type(`${TOKEN.toLowerCase()}\n`);
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown).not.toContain(TOKEN.toLowerCase());
    expect(await release.call()).toMatchObject({ stdin: `${TOKEN.toLowerCase()}\n` });
  });

  test.for(["dash", "mksh", "posh"])(
    "S-23: %s hands a typed token to no program",
    async (shell, ctx) => {
      ctx.skip(!isThere([shell]), `${shell} is not installed`);
      await using release = await stubRelease();
      const called = join(release.directory, "called", "programs");
      const spy = (name: string) => `echo "$0 $*" >>'${called}'; exec /usr/bin/${name} "$@"`;
      const path = await fakes(release, { printf: spy("printf"), echo: spy("echo") });
      const args = ["--server", release.url, "--prefix", join(release.directory, "p")];
      await using terminal = openTerminal(["env", `PATH=${path}`, shell, release.script, ...args]);
      await terminal.shows("Pairing token: ");
      terminal.type(`${TOKEN}\n`);
      expect(await terminal.ended).toBe(0);
      expect((await release.call())?.stdin).toBe(`${TOKEN}\n`);
      const seen = await readFile(called, "utf8").catch(() => "");
      expect(seen).not.toContain(TOKEN);
    },
  );

  test("an agent that is installed already is not fetched again", async () => {
    await using release = await stubRelease();
    const bin = join(release.directory, "prefix", "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "rport-agent"), stubAgent(release.directory));
    await chmod(join(bin, "rport-agent"), 0o755);
    const result = await runInstaller(release, ["--token-stdin"]);
    expect(result.code).toBe(0);
    expect(release.requests).toEqual([]);
    expect((await release.call())?.args[0]).toBe("install");
  });

  test("a dry run is the agent's, without a token", async () => {
    await using release = await stubRelease();
    const result = await runInstaller(release, ["--dry-run"], { input: "" });
    expect(result).toMatchObject({ code: 0, left: [] });
    const call = await release.call();
    expect(call?.args).not.toContain("--token-stdin");
    expect(call?.args).toContain("--dry-run");
  });

  test("what would change the runtime is taken out of the environment", async () => {
    await using release = await stubRelease();
    const env = { BUN_OPTIONS: "--preload /evil.js", BUN_BE_BUN: "1", NODE_OPTIONS: "-r /evil" };
    await runInstaller(release, ["--token-stdin"], { env });
    const { environment = "" } = (await release.call()) ?? {};
    expect(environment).not.toMatch(/^(BUN_OPTIONS|BUN_BE_BUN|NODE_OPTIONS)=/m);
    expect(environment).toMatch(/^DO_NOT_TRACK=1$/m);
    expect(environment).toMatch(/^BUN_ENABLE_CRASH_REPORTING=0$/m);
  });

  test("wget does when there is no curl, and shasum when there is no sha256sum", async (ctx) => {
    ctx.skip(!isThere(["wget"]) || !isThere(["shasum"]), "wget or shasum is not installed");
    await using release = await stubRelease();
    const path = await only(release, [...BASICS, "wget", "shasum", "perl"]);
    const result = await runInstaller(release, ["--token-stdin"], { shell: ["/bin/dash"], path });
    expect(result).toMatchObject({ code: 0, stderr: expect.not.stringContaining("not found") });
    expect((await release.call())?.stdin).toBe(TOKEN);
  });
});

describe("which agent is chosen", () => {
  test.each([
    ["another CPU", { uname: "case $1 in -s) echo Linux ;; *) echo armv7l ;; esac" }],
    ["musl", { getconf: "exit 1", ldd: "echo musl libc; exit 1" }],
    ["an old C library", { getconf: "echo glibc 2.12" }],
  ])("with %s it is the bundle on the host's Node", async (_, programs) => {
    await using release = await stubRelease(withBundle);
    const path = await fakes(release, programs);
    expect(await runInstaller(release, ["--token-stdin"], { path })).toMatchObject({ code: 0 });
    expect(release.requests).toEqual([expect.stringMatching(/\/agent\.cjs$/)]);
    expect(await release.call()).toMatchObject({ environment: "run by node", stdin: TOKEN });
  });

  test("an executable that does not run gives way to the bundle", async () => {
    await using release = await stubRelease((directory) => {
      const content = stubAgent(directory, { before: "exit 127" });
      return [
        { target: "linux-x64", name: "rport-agent-linux-x64", content },
        ...withBundle(directory).slice(1),
      ];
    });
    expect(await runInstaller(release, ["--token-stdin"])).toMatchObject({ code: 0 });
    expect(await release.call()).toMatchObject({ environment: "run by node" });
  });

  test("an executable that does not run ends with status 3 where there is no Node", async () => {
    await using release = await stubRelease((directory) => {
      const content = stubAgent(directory, { before: "exit 127" });
      return [{ target: "linux-x64", name: "rport-agent-linux-x64", content }];
    });
    const result = await runInstaller(release, ["--token-stdin"]);
    expect(result).toMatchObject({ code: 3, left: [] });
    expect(await release.call()).toBeUndefined();
  });

  test("--runtime decides, and an old Node is refused", async () => {
    await using release = await stubRelease(withBundle);
    await runInstaller(release, ["--token-stdin", "--runtime", "node"]);
    expect(await release.call()).toMatchObject({ environment: "run by node" });
    const old = 'case $1 in -p) command -v "$0" ;; -e) exit 1 ;; esac';
    const path = await fakes(release, { node: old, nodejs: old });
    const refused = await runInstaller(release, ["--token-stdin", "--runtime=node"], { path });
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("Node.js 20") });
    const wrong = await runInstaller(release, ["--token-stdin", "--runtime=deno"]);
    expect(wrong.code).toBe(2);
  });

  test("another system than Linux and macOS is refused with status 3", async () => {
    await using release = await stubRelease(withBundle);
    const path = await fakes(release, { uname: "echo FreeBSD" });
    expect(await runInstaller(release, ["--token-stdin"], { path })).toMatchObject({ code: 3 });
    expect(release.requests).toEqual([]);
  });
});
