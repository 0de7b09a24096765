import { randomUUID } from "node:crypto";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { INSTALL_MS, withInstallerServer } from "../support/installer/installerServer.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";
import { TerminalViewer } from "../support/terminals/terminalViewer.ts";

const PROGRAM = "/usr/local/bin/rport-agent";
const CONFIG = "/etc/rport/rport.conf";
const UNIT = "/etc/systemd/system/rport.service";
const BACK_MS = 30_000;
/** A person's program that becomes root, as sudo does, and what of a shell it is that a service runs. */
const BECOME = "/usr/local/bin/become";
const PROBE = `#!/bin/sh
root=no home=no tmp=no
[ "$(${BECOME} -u)" = 0 ] && root=yes
touch /home/anna/made && home=yes
touch /tmp/made && tmp=yes
setsid sleep 86399 &
echo "probe: $(id -un) in $(id -Gn | tr ' ' ,) becomes root $root, home $home, tmp $tmp, umask $(umask)."
exec sleep 86400
`;

/**
 * Puts a key into the keyrings of its session and of its account (`add_key`), or reads it (`request_key`, `keyctl`
 * to read and to have it end); by the numbers of 64-bit x86. What of a session none has begun is gone with its program;
 * what is of an account outlives all of that account, in the one kernel that all systems of tests have.
 */
const KEYS = `#!/usr/bin/perl
my ($type, $name, $secret, $read) = ("user", "of-test-${randomUUID()}", "a secret", "\\0" x 64);
if (@ARGV) {
  for (-3, -5) { syscall(250, 15, syscall(248, $type, $name, $secret, length $secret, $_), 300); }
  exit;
}
my $key = syscall(249, $type, $name, 0, 0);
my $length = $key < 0 ? -1 : syscall(250, 11, $key, $read, 64, 0);
print "key of ", scalar getpwuid($>), ": ", $length < 0 ? "none" : substr($read, 0, $length), ".\\n";
`;

/** The processes that a probe has left behind. */
const LEFT = 'grep -lsz "^86399$" /proc/[0-9]*/cmdline';

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("PAIR-30: terminals that an installation allows", () => {
  const server = withInstallerServer("systemd", "openrc", "sysv");
  const install = (system: System, ...flags: readonly string[]) =>
    system.exec(PROGRAM, ["install", "--server", server().backend.url, ...flags], {
      timeoutMs: INSTALL_MS,
    });

  test("run as a person, whose shell is as free as one by SSH, until they are taken back", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await makeAnna(system);
    const before = await wholeTree(system);
    expect(await server().paste(system)).toMatchObject({ code: 0 });
    const confined = await system.readFile(UNIT);
    expect(await probe(system)).toBe(
      "rport in rport becomes root no, home no, tmp yes, umask 0077",
    );
    expect(await system.exists("/tmp/made")).toBe(false);
    const first = await system.readFile(CONFIG);

    const allowed = await install(system, "--terminals", "anna");
    expect(allowed).toMatchObject({ code: 0, stderr: "" });
    expect(allowed.stdout).toContain("acts on this host as anna, until you take it back:");
    expect(await system.readFile(CONFIG)).toBe(`${first}\n[terminal]\nenabled = true\n`);
    expect(await owners(system)).toEqual([
      "anna 600",
      "anna 700",
      "anna 700",
      "root 755",
      "root 644",
    ]);
    expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
    expect(await probe(system)).toBe(
      "anna in anna,operators becomes root yes, home yes, tmp yes, umask 0022",
    );
    expect(await system.exists("/tmp/made")).toBe(true);
    await expectUnbounded(system);

    const again = await server().paste(system);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("already enrolled");
    expect(again.stdout).toContain("as anna, until you take it back");

    const command = /^ {2}(.+ --no-terminals)$/m.exec(allowed.stdout)?.[1] ?? "";
    expect(await system.exec("sh", ["-c", command])).toMatchObject({ code: 0 });
    expect(await system.readFile(UNIT)).toBe(confined);
    expect(await system.readFile(CONFIG)).toBe(`${first}\n[terminal]\nenabled = false\n`);
    expect((await owners(system))[0]).toBe("rport 600");
    expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });

    expect(await install(system, "--terminals", "anna")).toMatchObject({ code: 0 });
    expect(await system.exec(PROGRAM, ["uninstall"])).toMatchObject({ code: 0, stderr: "" });
    await system.exec("sh", ["-c", `rm /home/anna/made; kill $(${LEFT} | cut -d/ -f3)`]);
    expect(await wholeTree(system)).toEqual(before);
  });

  test("are opened by whoever may at the server, whose shell is that person's, and by nobody before or after", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await makeAnna(system);
    const { url, token } = server().backend;
    const clientId = (await system.readFile("/etc/machine-id")).trim();
    const open = () => TerminalViewer.open({ url, token, clientId });
    const expectNone = async () => {
      await using refused = await open();
      const reason = expect.stringContaining("[terminal] enabled = true");
      expect(await refused.closed).toMatchObject({ code: CLOSE_CODES.refused, reason });
    };
    expect(await server().paste(system)).toMatchObject({ code: 0 });
    await expectNone();

    expect(await install(system, "--terminals", "anna")).toMatchObject({ code: 0 });
    await using viewer = await open();
    expect(await viewer.attached).toMatchObject({ account: "anna" });
    viewer.type(`echo "$(id -un) in $(id -Gn | tr ' ' ,), $(${BECOME} -u), $(umask), $PWD"\n`);
    await viewer.shows("anna in anna,operators, 0, 0022, /home/anna");
    viewer.type("setsid sleep 86399 & sleep 86398 & touch /tmp/made && exit 7\n");
    expect(await viewer.ended).toEqual({ how: "exit", code: 7 });
    expect(await system.exec("stat", ["-c", "%U %a", "/tmp/made"])).toMatchObject({
      stdout: "anna 644\n",
    });

    expect(await install(system, "--no-terminals")).toMatchObject({ code: 0 });
    await expectNone();
    // Only what left its terminal on purpose outlives that, as with sshd.
    expect((await system.exec("sh", ["-c", LEFT])).stdout).not.toBe("");
  });

  test.skipIf(process.arch !== "x64")(
    "keep the kernel's keys of one account from the others",
    async () => {
      await using system = await bootSystemd({ shareNetwork: true });
      await makeAnna(system);
      const { url, token } = server().backend;
      const clientId = (await system.readFile("/etc/machine-id")).trim();
      expect(await server().paste(system, "--terminals root")).toMatchObject({ code: 0 });
      const text = await system.readFile(CONFIG);
      await system.writeFile(
        CONFIG,
        text.replace(/accounts = .*/, 'accounts = ["root", "anna"]'),
        "0600",
      );
      await system.writeFile("/usr/local/bin/keys", KEYS, "0755");
      await system.exec("systemctl", ["restart", "rport.service"]);
      await eventually(async () => {
        expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
      }, BACK_MS);
      const as = (account: string) =>
        TerminalViewer.open({ url, token, clientId, wish: { account } });
      await using root = await as("root");
      root.type("keys add; keys\n");
      await root.shows(/key of root: a secret\./);
      await using anna = await as("anna");
      anna.type("keys; keys add; keys\n");
      await anna.shows(/key of anna: none\.[\s\S]*key of anna: a secret\./);
    },
  );

  test("survive a reboot and a newer line, and are root's where root was named", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    const pasted = await server().paste(system, "--terminals root");
    expect(pasted).toMatchObject({ code: 0 });
    expect(await system.readFile(CONFIG)).toContain(
      '[terminal]\nenabled = true\naccounts = ["root"]\n',
    );
    expect((await owners(system))[0]).toBe("root 600");
    await system.reboot();
    await eventually(async () => {
      expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
    }, BACK_MS);
    // What a rotation or a newer release makes of it: the service says as whom.
    expect(await server().paste(system, "--force")).toMatchObject({ code: 0 });
    expect(await system.readFile(CONFIG)).toMatch(/enabled = true\naccounts = \[ "root" \]/);
    expect((await owners(system))[0]).toBe("root 600");
  });

  test("are refused for an account that is of no use, before anything is changed", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    for (const [flags, code, sentence] of [
      ["--terminals nobody-here", 3, "There is no account nobody-here here."],
      ["--terminals daemon", 3, "Nobody can log in as daemon, whose shell is /usr/sbin/nologin."],
      ["--terminals", 2, "needs the account that terminals run as"],
      ["--terminals root --user daemon", 2, "here root"],
      ["--terminals root --no-terminals", 2, "contradict"],
    ] as const) {
      const refused = await server().paste(system, flags);
      expect(refused).toMatchObject({ code, stderr: expect.stringContaining(sentence) });
    }
    expect(await wholeTree(system)).toEqual(before);
  });

  test("below a directory are the user's own, in a service that is as open", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await makeAnna(system);
    await system.exec("loginctl", ["enable-linger", "anna"]);
    const runtime = "XDG_RUNTIME_DIR=/run/user/1000";
    const asAnna = (...words: readonly string[]) =>
      system.exec("runuser", ["-u", "anna", "--", "env", "HOME=/home/anna", runtime, ...words], {
        timeoutMs: INSTALL_MS,
      });
    const ask = () => asAnna("systemctl", "--user", "show");
    await eventually(async () => expect(await ask()).toMatchObject({ code: 0 }), BACK_MS);
    const paste = async (flags: string) => {
      const line = await server().line(`--prefix /home/anna/rport ${flags}`);
      return asAnna("sh", "-c", line.replace("sudo sh", "sh"));
    };
    const other = await paste("--terminals root");
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("runs as you, anna") });
    expect(await paste("--terminals")).toMatchObject({ code: 0 });
    const facts = await factsOf(system, "/home/anna/rport/bin/rport-agent");
    expect(facts).toMatchObject({ NoNewPrivs: "0", Seccomp: "0", Umask: "0022" });
    expect(await system.readFile("/home/anna/rport/rport.conf")).toContain("enabled = true");
    expect((await paste("")).stdout).toContain("as anna, until you take it back");
    expect(await paste("--no-terminals")).toMatchObject({ code: 0 });
    const closed = await factsOf(system, "/home/anna/rport/bin/rport-agent");
    expect(closed).toMatchObject({ NoNewPrivs: "1", Umask: "0077" });
  });

  test("have the groups of their person with OpenRC, and are root's alone with sysv init", async () => {
    await using openrc = await bootSystemd({ shareNetwork: true, init: "openrc" });
    await makeAnna(openrc);
    expect(await server().paste(openrc, "--terminals anna")).toMatchObject({ code: 0 });
    const groups = (await openrc.exec("id", ["-G", "anna"])).stdout.trim();
    const facts = await factsOf(openrc, PROGRAM);
    expect(facts).toMatchObject({ Umask: "0022", Uid: expect.stringMatching(/^1000\b/) });
    expect(facts.Groups?.split(" ").sort()).toEqual(groups.split(" ").sort());
    expect((await server().paste(openrc)).stdout).toContain("as anna, until you take it back");
    expect(await install(openrc, "--no-terminals")).toMatchObject({ code: 0 });
    expect((await factsOf(openrc, PROGRAM)).Umask).toBe("0077");

    await using sysv = await bootSystemd({ shareNetwork: true, init: "sysv" });
    await makeAnna(sysv);
    const refused = await server().paste(sysv, "--terminals anna");
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toContain("without the groups of anna");
    expect(await server().paste(sysv, "--terminals root")).toMatchObject({ code: 0 });
    expect((await factsOf(sysv, PROGRAM)).Uid).toMatch(/^0\b/);
  });
});

/** A person with a home, a group beside their own, and a program that becomes root. */
async function makeAnna(system: System): Promise<void> {
  const setUp = [
    "groupadd operators",
    "useradd --create-home --shell /bin/sh --uid 1000 --groups operators anna",
    `cp /usr/bin/id ${BECOME} && chmod 4755 ${BECOME}`,
  ];
  const made = await system.exec("sh", ["-c", setUp.join(" && ")]);
  expect(made).toMatchObject({ code: 0 });
}

/** What a program finds that the service runs in the agent's place for a moment; what it left behind outlives it. */
async function probe(system: System): Promise<string> {
  const folder = `${UNIT}.d`;
  await system.writeFile("/usr/local/bin/probe", PROBE, "0755");
  const change = "[Service]\nExecStart=\nExecStart=/usr/local/bin/probe\n";
  await system.writeFile(`${folder}/probe.conf`, change);
  await system.exec("systemctl", ["daemon-reload"]);
  const begin = (await system.exec("date", ["+%s"])).stdout.trim();
  expect(await system.exec("systemctl", ["restart", "rport.service"])).toMatchObject({ code: 0 });
  const said = await eventually(async () => {
    const all = await system.exec("journalctl", [
      "--unit=rport",
      "--output=cat",
      `--since=@${begin}`,
    ]);
    const found = /probe: (.*)\./.exec(all.stdout)?.[1];
    expect(found).toBeDefined();
    return found ?? "";
  }, BACK_MS);
  await system.exec("rm", ["-r", folder, "/usr/local/bin/probe"]);
  await system.exec("systemctl", ["daemon-reload"]);
  expect(await system.exec("systemctl", ["restart", "rport.service"])).toMatchObject({ code: 0 });
  const isLeft = (await system.exec("sh", ["-c", LEFT])).stdout !== "";
  expect(isLeft).toBe(said.startsWith("anna"));
  await eventually(async () => {
    expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
  }, BACK_MS);
  return said;
}

/** Configuration, its folder, state, program, unit. */
async function owners(system: System): Promise<readonly string[]> {
  const paths = [CONFIG, "/etc/rport", "/var/lib/rport", PROGRAM, UNIT];
  return (await system.exec("stat", ["-c", "%U %a", ...paths])).stdout.trim().split("\n");
}

async function expectUnbounded(system: System): Promise<void> {
  const names = [
    "MemoryMax",
    "TasksMax",
    "OOMScoreAdjust",
    "OOMPolicy",
    "LimitCORE",
    "LimitCORESoft",
  ];
  const show = names.map((name) => `--property=${name}`);
  const { stdout } = await system.exec("systemctl", ["show", ...show, "rport.service"]);
  expect(
    Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split("=")),
    ),
  ).toEqual({
    MemoryMax: "infinity",
    TasksMax: "infinity",
    OOMScoreAdjust: "0",
    OOMPolicy: "continue",
    LimitCORE: "infinity",
    LimitCORESoft: "0",
  });
}

/** What the kernel says of the agent's process. */
async function factsOf(system: System, program: string): Promise<Record<string, string>> {
  const script = `for exe in /proc/[0-9]*/exe; do [ "$(readlink "$exe")" = "$1" ] || continue
    cat "\${exe%/exe}/status"; break; done`;
  const { stdout } = await system.exec("sh", ["-c", script, "sh", program]);
  const lines = stdout.split("\n").map((line) => line.split(":\t"));
  return Object.fromEntries(lines.map(([name = "", value = ""]) => [name, value.trim()]));
}
