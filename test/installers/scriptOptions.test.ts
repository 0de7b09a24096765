import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakes, isThere, runInstaller, TOKEN } from "../support/installer/runInstaller.ts";
import {
  askedInstalled,
  executableOnly,
  installedStub,
  stubAgent,
  stubBundle,
  stubRelease,
} from "../support/installer/stubRelease.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { run } from "../support/systemd/process.ts";

/** What a machine says of itself. */
const machine = (system: string, cpu: string) => ({
  uname: `case $1 in -s) echo ${system} ;; *) echo ${cpu} ;; esac`,
});

/** One program for a target: it notes how it was called. */
const only = (target: string) => (directory: string) => [
  { target, name: `rport-agent-${target}`, content: stubAgent(directory) },
];

describe("RPort's letters", () => {
  test("mean what they mean there", async () => {
    await using release = await stubRelease();
    const args = ["-a", "me", "-g", "a tag", "-d", "-f", "--token-stdin"];
    const result = await runInstaller(release, args);
    expect(result.code).toBe(0);
    const call = await release.call();
    expect(call?.args.slice(4)).toEqual(["--user=me", "--tag=a tag", "--new-id", "--force"]);
    await runInstaller(release, ["-u"]);
    expect(await runInstaller(release, ["-u"])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("no agent"),
    });
  });

  test.each([
    ["-x", "no commands"],
    ["-s", "no commands"],
    ["-r", "no files"],
    ["-b", "no files"],
    ["-xsrb", "no commands"],
    ["-t", "one release"],
    ["-i", "tacoscript"],
    ["-l", "SELinux"],
    ["-p", "package sources"],
  ])("%s is refused with a sentence", async (letter, sentence) => {
    await using release = await stubRelease();
    const result = await runInstaller(release, ["--token-stdin", letter]);
    expect(result).toMatchObject({ code: 2, left: [], stderr: expect.stringContaining(sentence) });
    expect(result.stderr).toContain(`${letter} is refused`);
    expect(release.requests).toEqual([]);
  });
});

describe("terminals", () => {
  test.for(["dash", "busybox ash", "bash --posix", "mksh", "yash", "posh"])(
    "in %s are the agent's matter, with or without an account",
    async (name, ctx) => {
      const shell = name.split(" ");
      ctx.skip(!isThere(shell), `${name} is not installed`);
      await using release = await stubRelease();
      for (const [args, told] of [
        [["--terminals", "anna", "--yes"], ["--terminals=anna"]],
        [["--terminals=anna"], ["--terminals=anna"]],
        [
          ["--new-id", "--terminals"],
          ["--new-id", "--terminals="],
        ],
        [
          ["--terminals", "--new-id"],
          ["--terminals=", "--new-id"],
        ],
        [["--no-terminals"], ["--no-terminals"]],
      ] as const) {
        const result = await runInstaller(release, ["--token-stdin", ...args], { shell });
        expect(result).toMatchObject({ code: 0, left: [] });
        expect((await release.call())?.args.slice(4)).toEqual(told);
      }
    },
  );
});

describe("the agent that is installed", () => {
  test.each([5, 6])(
    "S-50: ends the installation of what it refuses with status %s",
    async (status) => {
      await using release = await stubRelease();
      await installedStub(release, status);
      const result = await runInstaller(release, ["--token-stdin"]);
      expect(result).toMatchObject({ code: status, left: [] });
      expect(result.stderr).toContain("hands out an older release");
      expect(await release.call()).toBeUndefined();
      expect(await askedInstalled(release)).toEqual([
        "verify",
        `--server=${release.url}`,
        expect.stringMatching(/^--file=.*rport-agent-/),
        `--prefix=${join(release.directory, "prefix")}`,
      ]);
    },
  );

  test("S-50: lets an older release in when that is allowed, and the new one is told nothing of it", async () => {
    await using release = await stubRelease();
    await installedStub(release, 6);
    const result = await runInstaller(release, ["--token-stdin", "--allow-downgrade"]);
    expect(result).toMatchObject({ code: 0, left: [] });
    expect((await askedInstalled(release))?.at(-1)).toBe("--allow-downgrade");
    expect((await release.call())?.args).not.toContain("--allow-downgrade");
  });

  test.each([
    ["is asked again without the option that it does not know, and refuses", 6, 6],
    ["belongs to another server with and without the option, and is replaced", 2, 0],
  ])("S-50: %s", async (_, status, code) => {
    await using release = await stubRelease();
    await installedStub(release, status, 2);
    const result = await runInstaller(release, ["--token-stdin", "--allow-downgrade"]);
    expect(result).toMatchObject({ code, left: [] });
    expect(await askedInstalled(release)).toEqual([
      "verify",
      `--server=${release.url}`,
      expect.stringMatching(/^--file=.*rport-agent-/),
      `--prefix=${join(release.directory, "prefix")}`,
    ]);
    expect((await release.call())?.args[0]).toBe(code === 0 ? "install" : undefined);
  });
});

describe("which executable a machine gets", () => {
  test.each([
    ["linux-x64", machine("Linux", "amd64"), { getconf: "echo glibc 2.36" }],
    ["linux-arm64", machine("Linux", "aarch64"), { getconf: "echo glibc 2.31" }],
    ["linux-x64-musl", machine("Linux", "x86_64"), { getconf: "exit 1", ldd: "echo 'musl libc'" }],
    ["linux-arm64-musl", machine("Linux", "arm64"), { getconf: "exit 1", ldd: "echo 'musl libc'" }],
    ["darwin-arm64", machine("Darwin", "arm64"), {}],
    ["darwin-x64", machine("Darwin", "x86_64"), { sysctl: "echo 0" }],
    ["darwin-arm64", machine("Darwin", "x86_64"), { sysctl: "echo 1" }],
  ])("is %s", async (target, system, libc) => {
    await using release = await stubRelease(only(target));
    const path = await fakes(release, { ...system, ...libc });
    expect(await runInstaller(release, ["--token-stdin"], { path })).toMatchObject({ code: 0 });
    expect(release.requests).toEqual([expect.stringMatching(new RegExp(`rport-agent-${target}$`))]);
    expect((await release.call())?.args[0]).toBe("install");
  });

  test("is told when the server has none, with what its administrator does", async () => {
    await using release = await stubRelease();
    const programs = machine("Linux", "aarch64");
    const path = await fakes(release, { ...programs, getconf: "echo glibc 2.31" });
    const result = await runInstaller(release, ["--token-stdin"], { path });
    expect(result).toMatchObject({ code: 3, left: [] });
    expect(result.stderr).toContain("npm run package -- --target linux-arm64");
  });

  test("on musl says what Alpine needs when it does not run there", async () => {
    await using release = await stubRelease((directory) => [
      {
        target: "linux-x64-musl",
        name: "rport-agent-linux-x64-musl",
        content: stubAgent(directory, { before: "exit 127" }),
      },
    ]);
    const programs = { getconf: "exit 1", ldd: "echo 'musl libc'" };
    const path = await fakes(release, programs);
    const result = await runInstaller(release, ["--token-stdin"], { path });
    expect(result).toMatchObject({ code: 3, stderr: expect.stringContaining("apk add libstdc++") });
  });

  test("is the bundle on the machine's Node where the server has no executable", async () => {
    await using release = await stubRelease((directory) => [
      ...executableOnly(directory),
      { target: "node", name: "agent.cjs", content: stubBundle(directory), packed: ["gz"] },
    ]);
    const programs = machine("Linux", "aarch64");
    const path = await fakes(release, { ...programs, getconf: "echo glibc 2.31" });
    expect(await runInstaller(release, ["--token-stdin"], { path })).toMatchObject({ code: 0 });
    expect(release.requests).toEqual([expect.stringMatching(/\/agent\.cjs\.gz$/)]);
    expect(await release.call()).toMatchObject({ environment: "run by node" });
  });
});

describe("a proxy", () => {
  test("is an option when it has no password, for the download and for the agent", async () => {
    await using release = await stubRelease();
    // A proxy is asked for the whole address; this one is the server itself.
    const args = ["--token-stdin", `--proxy=${release.url}`, "--server", "http://agents.invalid"];
    const result = await runInstaller(release, args, { env: { no_proxy: "" } });
    expect(result.code).toBe(5);
    expect(release.requests[0]).toMatch(/^http:\/\/agents\.invalid\/agent\//);
    const direct = await runInstaller(release, ["--token-stdin", "--proxy", release.url], {
      env: { no_proxy: "127.0.0.1" },
    });
    expect(direct.code).toBe(0);
    const { environment = "" } = (await release.call()) ?? {};
    expect(environment).toContain(`https_proxy=${release.url}\n`);
  });

  test("S-23: with a password it is refused, and not repeated", async () => {
    await using release = await stubRelease();
    const result = await runInstaller(release, ["--token-stdin", "--proxy=http://me:hidden@p:1"]);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("--proxy-stdin") });
    expect(result.stderr).not.toContain("hidden");
  });
});

describe("what a host is like", () => {
  test("a prefix in the home directory may be written with ~", async () => {
    await using release = await stubRelease();
    const home = join(release.directory, "home");
    const args = ["--token-stdin", "--prefix=~/my rport"];
    const result = await runInstaller(release, args, { env: { HOME: home } });
    expect(result.code).toBe(0);
    expect((await release.call())?.args).toContain(`--prefix=${home}/my rport`);
  });

  test("with SELinux, what was made gets the labels of its place", async () => {
    await using release = await stubRelease();
    const called = join(release.directory, "called", "restorecon");
    const path = await fakes(release, {
      selinuxenabled: "exit 0",
      restorecon: `printf '%s\\n' "$*" >>'${called}'`,
    });
    const prefix = join(release.directory, "prefix");
    const args = ["--token-stdin"];
    const made = `mkdir -p '${prefix}'`;
    await using other = await stubRelease((directory) => [
      {
        target: "linux-x64",
        name: "rport-agent-linux-x64",
        content: stubAgent(directory, { before: made }),
      },
    ]);
    const result = await runInstaller(other, [...args, "--prefix", prefix], { path });
    expect(result.code).toBe(0);
    expect(await readFile(called, "utf8")).toBe(`-i -R ${prefix}\n`);
  });

  test("with SELinux, root goes into no folder of the agent's account", async (ctx) => {
    const reason = whyNoSystemd();
    ctx.skip(reason !== undefined, reason);
    await using release = await stubRelease();
    const called = join(release.directory, "called", "restorecon");
    const path = await fakes(release, {
      selinuxenabled: "exit 0",
      restorecon: `printf '%s\n' "$@" >>'${called}'`,
    });
    const files = "echo >/var/lib/rport/host.key; mkdir -p /var/lib/rport/theirs/below";
    const script = `mount -t tmpfs none /var/lib && mkdir /var/lib/rport && ${files} && exec dash "$@"`;
    const shell = ["unshare", "--mount", "sh", "-c", script, "sh"];
    const args = [release.script, "--server", release.url, "--token-stdin"];
    const result = await run(shell[0] ?? "", [...shell.slice(1), ...args], {
      input: TOKEN,
      env: { PATH: path },
    });
    expect(result).toMatchObject({ code: 0 });
    const words = (await readFile(called, "utf8")).split("\n");
    expect(words).toContain("/var/lib/rport/host.key");
    expect(words.filter((word) => word === "-R" || word.includes("below"))).toEqual([]);
  });
});
