import { execFile } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { doubtfulAccounts } from "../../../../extension/src/ssh/config/accounts.ts";
import {
  aliasesIn,
  configText,
  unknownText,
} from "../../../../extension/src/ssh/config/configText.ts";
import { batchLauncher, shellLauncher } from "../../../../extension/src/ssh/config/launcherText.ts";
import { placesOf } from "../../../../extension/src/ssh/config/places.ts";
import { includePath } from "../../../../extension/src/ssh/config/quoting.ts";
import { type Host, handleOf, nameHosts } from "../../../../extension/src/ssh/hosts.ts";
import { HOSTILE_TEXTS } from "../../../support/hostileTexts.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const run = promisify(execFile);
const SERVER = { serverKey: "https://relay.example.com", serverName: "Relay" };

function host(id: string, name = ""): Host {
  return { ...SERVER, id, name, hostname: "" };
}

/** What `ssh` would do for a name, by the words of its settings. */
async function asked(config: string, name: string) {
  const { stdout } = await run("ssh", ["-F", config, "-G", name]);
  return new Map(
    stdout.split("\n").map((line) => [line.split(" ")[0] ?? "", line.slice(line.indexOf(" ") + 1)]),
  );
}

/** A configuration with our line, our file, and a launcher that says what it was called with. */
async function told(folder: string, hosts: readonly Host[]) {
  const config = join(folder, "config");
  const places = placesOf("/a/storage", config);
  await mkdir(places.folder, { recursive: true });
  await writeFile(config, `${places.line}\nHost *\n  User from-below\n`);
  const { launcher } = places;
  const users = new Map([["f00d", "deploy"]]);
  const userOf = (handle: string) => users.get(handle.split(".")[0] ?? "");
  await writeFile(places.hosts, configText({ names: nameHosts(hosts), userOf, launcher }).text, {
    mode: 0o600,
  });
  await writeFile(places.unknown, unknownText(launcher), { mode: 0o600 });
  await writeFile(launcher, 'printf "%s\\n" "$#" "$@" > "$(dirname "$0")/called"; exit 1');
  return { config, places };
}

const FOLDERS = ["plain", "with space", "it's", "50%h", "ümlaut", "a(b)"];

describe("what ssh is told", () => {
  it.each(FOLDERS)("is what it does, below a folder called %s", async (name) => {
    await using temp = await tempDirectory();
    const folder = join(temp.path, name);
    const isSayable = !/['%]/.test(name);
    if (!isSayable) {
      expect(() => placesOf("/a/storage", join(folder, "config"))).toThrow("cannot be told");
      return;
    }
    const { config, places } = await told(folder, [host("f00d", "web-01"), host("beef")]);
    const web = await asked(config, "web-01.rport");
    expect(web.get("hostkeyalias")).toBe(handleOf(host("f00d")));
    expect(web.get("user")).toBe("deploy");
    expect((await asked(config, "beef.rport")).get("user")).toBe("from-below");
    expect((await asked(config, "other.example.com")).has("proxycommand")).toBe(false);
    await expect(run("ssh", ["-F", config, "-p", "2222", "web-01.rport"])).rejects.toThrow();
    const called = await readFile(join(places.folder, "called"), "utf8");
    expect(called.split("\n").slice(0, 4)).toEqual([
      "3",
      "connect",
      handleOf(host("f00d")),
      "2222",
    ]);
  });

  it("asks the launcher why no host has a name that is like ours, and changes nothing for those that it tells of", async () => {
    await using temp = await tempDirectory();
    const { config, places } = await told(temp.path, [host("f00d", "web-01")]);
    const called = async (name: string) => {
      await expect(run("ssh", ["-F", config, name])).rejects.toThrow();
      return (await readFile(join(places.folder, "called"), "utf8")).split("\n").slice(1, 3);
    };
    for (const name of ["nobody.rport", "WEB-01.rport"])
      expect(await called(name)).toEqual(["unknown", name]);
    expect(await called("web-01.rport")).toEqual(["connect", handleOf(host("f00d"))]);
    const web = await asked(config, "web-01.rport");
    expect(web.get("hostkeyalias")).toBe(handleOf(host("f00d")));
    expect((await asked(config, "nobody.rport.example.com")).has("proxycommand")).toBe(false);
  });

  it("gives the launcher no name on Windows, where none is one word for whatever reads it", () => {
    vi.stubGlobal("process", Object.create(process, { platform: { value: "win32" } }));
    try {
      const lines = unknownText("C:\\a b\\launcher.cmd").split("\n");
      expect(lines).toContain("Host *.rport");
      expect(lines).toContain('  ProxyCommand "C:/a b/launcher.cmd" unknown');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each([
    "x'$(touch pwned)'.rport",
    "x\\'`touch pwned`.rport",
    "$(touch pwned).rport",
    "`touch pwned`.rport",
  ])(
    "S-55: has no shell run what a name holds that somebody else has thought of: %s",
    async (name) => {
      await using temp = await tempDirectory();
      const { config } = await told(temp.path, [host("f00d", "web-01")]);
      await expect(run("ssh", ["-F", config, name], { cwd: temp.path })).rejects.toThrow();
      await expect(stat(join(temp.path, "pwned"))).rejects.toThrow();
    },
  );

  it.each(["it's", "50%h", "$(touch pwned)", "`x`", 'a"b', "a\\b"])(
    "starts a launcher whose folder is called %s",
    async (name) => {
      await using temp = await tempDirectory();
      const launcher = join(temp.path, name, "launcher.sh");
      await mkdir(dirname(launcher));
      await writeFile(launcher, `printf "%s\\n" "$@" > '${temp.path}/called'; exit 1`);
      const config = join(temp.path, "config");
      const names = nameHosts([host("f00d")]);
      await writeFile(config, configText({ names, userOf: () => undefined, launcher }).text);
      await expect(run("ssh", ["-F", config, "f00d.rport"], { cwd: temp.path })).rejects.toThrow();
      const called = await readFile(join(temp.path, "called"), "utf8");
      expect(called).toBe(`connect\n${handleOf(host("f00d"))}\n22\n`);
      await expect(stat(join(temp.path, "pwned"))).rejects.toThrow();
    },
  );

  it("S-55: has nothing in it of what hosts call themselves when that is no safe text", async () => {
    await using temp = await tempDirectory();
    const hosts = HOSTILE_TEXTS.map((text) => host(text, text));
    hosts.push(host("x", "a\n  ProxyCommand touch pwned"), host("y", "* !b"), host("z", "%h"));
    const { config, places } = await told(temp.path, hosts);
    const text = await readFile(places.hosts, "utf8");
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const program = `/bin/sh '${places.launcher}'`;
    for (const line of lines) {
      expect(line.replace(program, "PROGRAM")).toMatch(
        /^(Host( [\w.-]+)+| {2}HostKeyAlias [\w.-]+| {2}ProxyCommand PROGRAM connect [\w.-]+ %p)$/,
      );
    }
    for (const each of hosts) {
      expect((await asked(config, handleOf(each))).get("hostkeyalias")).toBe(handleOf(each));
    }
  });

  it("leads a name that two hosts have to nobody, but to who says which there are", async () => {
    await using temp = await tempDirectory();
    const twins = [
      host("a1", "web"),
      { ...host("b2", "web"), serverKey: "other", serverName: "B" },
    ];
    const { config } = await told(temp.path, twins);
    const command = (await asked(config, "web.rport")).get("proxycommand");
    expect(command).toMatch(/ connect web\.rport %p$/);
    expect((await asked(config, "web.b.rport")).get("proxycommand")).toMatch(
      / connect b2\.\w+\.rport %p$/,
    );
  });

  it("leads it to nobody however one of them writes it", async () => {
    await using temp = await tempDirectory();
    const twins = [host("a1", "Web-01"), host("b2", "WEB-01")];
    const { config } = await told(temp.path, twins);
    for (const name of ["web-01.rport", "Web-01.rport", "WEB-01.rport"]) {
      expect((await asked(config, name)).get("proxycommand"), name).toMatch(
        / connect web-01\.rport %p$/,
      );
    }
  });

  it("has nothing of hosts whose handle another has, but who says which there are", () => {
    const names = nameHosts([host("f00d", "one"), host("f00d", "other")]);
    const { text } = configText({ names, userOf: () => undefined, launcher: "/l" });
    expect(text).not.toContain("HostKeyAlias");
    const handle = handleOf(host("f00d"));
    expect(text).toContain(`Host ${handle}\n  ProxyCommand /bin/sh '/l' connect ${handle} %p\n`);
  });

  it("says whether it tells of a host by whole lines, and by which names", () => {
    const names = nameHosts([host("f00d", "web-01")]);
    const handle = handleOf(host("f00d"));
    const as = (user: string | undefined) =>
      configText({ names, userOf: () => user, launcher: "/l" }).text;
    expect(aliasesIn(as("deploy"), handle, "deploy")).toEqual(names.named[0]?.aliases);
    expect(aliasesIn(as("deploy"), handle, "dep")).toEqual([]);
    expect(aliasesIn(as("deploy"), handle, undefined)).toEqual([]);
    expect(aliasesIn(as(undefined), handle, "deploy")).toEqual([]);
    expect(aliasesIn(as(undefined), handle, undefined)).toEqual(names.named[0]?.aliases);
    expect(aliasesIn(as(undefined), handle.slice(0, -1), undefined)).toEqual([]);
    expect(aliasesIn("", handle, undefined)).toEqual([]);
  });

  it("names the settings whose accounts it does not take", () => {
    expect(doubtfulAccounts({ user: undefined, users: {} })).toEqual([]);
    expect(doubtfulAccounts({ user: "", users: { a: "deploy", b: "" } })).toEqual([]);
    expect(doubtfulAccounts({ user: "two words", users: { a: "deploy" } })).toEqual(["user"]);
    expect(doubtfulAccounts({ user: "deploy", users: { a: "deploy", b: "x\ny" } })).toEqual([
      "users",
    ]);
    expect(doubtfulAccounts({ user: 7, users: { a: null } })).toEqual(["user", "users"]);
  });

  it("takes no user from a setting that is no name of an account", () => {
    const names = nameHosts([host("f00d")]);
    for (const user of ["a b", "x\n  ProxyCommand y", "-oProxyCommand=x", "%h", ""]) {
      expect(configText({ names, userOf: () => user, launcher: "/l" }).text).not.toContain("User");
    }
  });

  it("needs no path in the usual configuration, whatever somebody is called", () => {
    const { config, line } = placesOf("/a/storage", "");
    expect(config).toBe(join(userInfo().homedir, ".ssh", "config"));
    expect(line).toBe("Include rport.d/*.conf");
    expect(() => placesOf("/a/storage", "config")).toThrow("not a full one");
  });

  it.runIf(process.getuid?.() === 0)("is found there by what needs no path", async () => {
    await using temp = await tempDirectory();
    const { line, hosts } = placesOf("/a/storage", "");
    const home = userInfo().homedir;
    const config = join(temp.path, ".ssh", "config");
    const file = join(temp.path, hosts.slice(home.length));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(config, `${line}\n`);
    const names = nameHosts([host("f00d")]);
    await writeFile(file, configText({ names, userOf: () => undefined, launcher: "/l" }).text);
    const script = 'mount --bind "$0" "$1" && exec ssh -G f00d.rport';
    const { stdout } = await run("unshare", ["-m", "sh", "-c", script, temp.path, home]);
    expect(stdout).toContain(`hostkeyalias ${handleOf(host("f00d"))}\n`);
  });

  it.each(["/a/*", "/a[b]", "/a?", "/$HOME", '/a"b', "/a\nb", "/a\\b"])(
    "is no path that some ssh would take for something else: %j",
    (path) => expect(() => includePath(path)).toThrow("cannot be told"),
  );
});

describe("the launcher", () => {
  it("starts the bridge with its arguments, and with no debugger of a terminal", async () => {
    await using temp = await tempDirectory();
    const folder = join(temp.path, "it's 50%");
    await mkdir(folder);
    const program = join(folder, "bridge.cjs");
    await writeFile(
      program,
      `const { RPORT_STORAGE, RPORT_COMMAND, ELECTRON_RUN_AS_NODE, NODE_OPTIONS } = process.env;
      console.log(JSON.stringify([process.argv.slice(2), RPORT_STORAGE, RPORT_COMMAND, ELECTRON_RUN_AS_NODE, NODE_OPTIONS]));`,
    );
    const script = join(folder, "launcher.sh");
    const facts = { runtime: process.execPath, program, storage: folder, temporary: "/tmp" };
    await writeFile(script, shellLauncher(facts));
    const env = { ...process.env, NODE_OPTIONS: "--require /nowhere" };
    const { stdout } = await run("/bin/sh", [script, "connect", "a b", "22"], { env });
    expect(JSON.parse(stdout)).toEqual([
      ["connect", "a b", "22"],
      folder,
      `sh ${script}`,
      "1",
      null,
    ]);
  });

  it("says what is wrong when the editor has gone", async () => {
    await using temp = await tempDirectory();
    const script = join(temp.path, "launcher.sh");
    const facts = { runtime: "/nowhere", program: "/nowhere", storage: "/s", temporary: "/tmp" };
    await writeFile(script, shellLauncher(facts));
    await expect(run("/bin/sh", [script])).rejects.toMatchObject({
      code: 255,
      stderr: expect.stringMatching(/^rport: RPort is not where it was: open VS Code.*\n$/),
    });
  });

  it("gives a console of Windows its code page back before the connection begins", () => {
    const lines = batchLauncher({
      runtime: "C:\\50% ü\\Code.exe",
      program: "C:\\bridge.cjs",
      storage: "C:\\s",
      temporary: "C:\\t",
    }).split("\r\n");
    const place = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line));
    const order = [
      place(/^for \/f .*chcp\.com'\) do set "RPORT_PAGE=%%p"$/),
      place(/chcp\.com 65001/),
      place(/^set "RPORT_RUNTIME=C:\\50%% ü\\Code\.exe"$/),
      place(/^set "RPORT_PROGRAM=/),
      place(/^set "RPORT_STORAGE=/),
      place(/chcp\.com %RPORT_PAGE%/),
      place(/^"%RPORT_RUNTIME%" "%RPORT_PROGRAM%" %\*$/),
    ];
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    // not one that lies in the folder of whoever calls
    for (const line of lines) expect(line).not.toMatch(/(?<!%SystemRoot%\\System32\\)chcp/);
    const last = place(/chcp\.com %RPORT_PAGE%/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is no ASCII is read by another code page
    for (const line of lines.slice(last)) expect(line).toMatch(/^[\x00-\x7f]*$/);
  });
});
