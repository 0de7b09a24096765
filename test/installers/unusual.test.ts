import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { INSTALL_MS, withInstallerServer } from "../support/installer/installerServer.ts";
import { newPairing } from "../support/installer/pairing.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("on a small Debian", () => {
  const server = withInstallerServer("systemd");

  const line = (flags?: string) => server().line(flags);
  const paste = (system: System, flags?: string) => server().paste(system, flags);

  test("an ordinary user gets an agent below a directory, which outlives the terminal", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.exec("useradd", ["--create-home", "me"]);
    const before = await wholeTree(system);
    const dir = "/home/me/my agents/rport";
    const command = (await line(`--no-service --prefix '${dir}'`)).replace("sudo sh", "sh");
    await system.writeFile("/tmp/line", command);
    // `script` gives it a terminal of its own and closes that at the end.
    const typed = ["runuser", "-u", "me", "--", "script", "-qec", "sh /tmp/line", "/dev/null"];
    const installed = await system.exec("setsid", ["--wait", ...typed], { timeoutMs: INSTALL_MS });
    expect(installed).toMatchObject({ code: 0 });

    const asMe = (args: readonly string[]) =>
      system.exec("runuser", ["-u", "me", "--", `${dir}/bin/rport-agent`, ...args]);
    expect(await asMe(["status", "--prefix", dir])).toMatchObject({ code: 0 });
    const owners = await system.exec("find", [dir, "-not", "-user", "me"]);
    expect(owners.stdout).toBe("");
    const modes = await system.exec("stat", ["-c", "%a", dir, `${dir}/rport.conf`]);
    expect(modes.stdout).toBe("700\n600\n");

    const again = await system.exec("runuser", ["-u", "me", "--", "sh", "/tmp/line"]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/already/i) });
    expect(await asMe(["status", "--prefix", dir])).toMatchObject({ code: 0 });
    expect(await asMe(["uninstall", "--prefix", dir])).toMatchObject({ code: 0, stderr: "" });
    expect(await wholeTree(system)).toEqual(before);
    expect(await agentProcesses(system)).toBe("");
  });

  test("a directory that holds something else is left alone", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.writeFile("/srv/data/precious", "");
    const result = await paste(system, "--prefix /srv/data");
    expect(result).toMatchObject({ code: 2 });
    expect(result.stderr).toContain("not empty");
    expect((await system.exec("ls", ["/srv/data"])).stdout).toBe("precious\n");
  });

  test("an empty directory is filled although nothing runs in /tmp; one that runs nothing is not", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    const forbid = async (directory: string) => {
      await system.exec("mkdir", ["-p", directory]);
      const args = ["-t", "tmpfs", "-o", "noexec", "none", directory];
      expect(await system.exec("mount", args)).toMatchObject({ code: 0 });
    };
    await forbid("/tmp");
    await system.exec("mkdir", ["/srv/rport"]);
    expect(await paste(system, "--prefix /srv/rport")).toMatchObject({ code: 0 });
    const names = await system.exec("ls", ["/srv/rport"]);
    expect(names.stdout).not.toMatch(/^rport-\w{6}$/m);
    const uninstall = ["uninstall", "--prefix", "/srv/rport"];
    expect(await system.exec("/srv/rport/bin/rport-agent", uninstall)).toMatchObject({ code: 0 });

    await forbid("/srv/inert");
    const refused = await paste(system, "--prefix /srv/inert --no-start");
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("cannot be started"),
    });
    expect((await system.exec("ls", ["/srv/inert"])).stdout).toBe("");
  });

  test("--user with a group that people share lets none of them at the configuration", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.exec("useradd", ["--no-user-group", "--gid", "users", "alice"]);
    await system.exec("useradd", ["--no-user-group", "--gid", "users", "mallory"]);
    expect(await paste(system, "--user alice")).toMatchObject({ code: 0 });
    const access = await system.exec("stat", [
      "-c",
      "%U %a",
      "/etc/rport",
      "/etc/rport/rport.conf",
    ]);
    expect(access.stdout).toBe("alice 700\nalice 600\n");
    const replace = ["--user=mallory", "--", "touch", "/etc/rport/rport.conf.new"];
    expect(await system.exec("runuser", replace)).toMatchObject({ code: 1 });
    const removed = await system.exec("rport-agent", ["uninstall", "--keep-config"]);
    expect(removed).toMatchObject({ code: 0, stderr: "" });
    const kept = await system.exec("stat", ["-c", "%U %a", "/etc/rport", "/etc/rport/rport.conf"]);
    expect(kept.stdout).toBe("root 700\nroot 600\n");
  });

  test.each([
    { log: "/var/log/rport/rport.log", folder: "rport" },
    { log: "/var/log/site/rport.log", folder: "site" },
    { log: "/var/log/rport-agent/rport.log", folder: undefined },
  ])("a configuration of RPort's package logs where it says: $log", async ({ log, folder }) => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.exec("useradd", ["--system", "--user-group", "rport"]);
    if (folder !== undefined) {
      await system.exec("install", ["-d", "-o", "rport", `/var/log/${folder}`]);
    }
    const config = `[client]\ntunnel_allowed = [":22"]\n[logging]\nlog_file = "${log}"\nlog_level = "info"\n`;
    await system.exec("mkdir", ["-p", "/etc/rport"]);
    await system.writeFile("/etc/rport/rport.conf", config);
    expect(await paste(system)).toMatchObject({ code: 0 });
    expect(await system.readFile(log)).toContain('"connected"');
    expect(await paste(system)).toMatchObject({
      stdout: expect.stringMatching(/already enrolled/),
    });
  });

  test.each(["/var/log/rport.log", "/var/log/journal-remote/rport.log"])(
    "a log that the agent may not write to keeps no host off line, and is told: %s",
    async (log) => {
      await using system = await bootSystemd({ shareNetwork: true });
      await system.exec("mkdir", ["-p", "/etc/rport"]);
      const config = `[client]\n[logging]\nlog_file = "${log}"\n`;
      await system.writeFile("/etc/rport/rport.conf", config);
      expect(await paste(system)).toMatchObject({ code: 0 });
      const journal = await system.exec("journalctl", ["--no-pager", "--unit=rport.service"]);
      expect(journal.stdout).toContain(log);
      expect(await system.exec("ls", ["/var/log/journal-remote"])).toMatchObject({ code: 2 });
    },
  );

  test("--no-service runs the agent as its own user, without a unit", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    expect(await paste(system, "--no-service")).toMatchObject({ code: 0 });
    expect(await system.exists("/etc/systemd/system/rport.service")).toBe(false);
    const pid = (await system.readFile("/run/rport-agent.pid")).trim();
    const ids = await system.exec("grep", ["-E", "^(Uid|Gid|Groups):", `/proc/${pid}/status`]);
    const uid = (await system.exec("id", ["-u", "rport"])).stdout.trim();
    const gid = (await system.exec("id", ["-g", "rport"])).stdout.trim();
    const words = ids.stdout.trim().split(/\s+/);
    expect(new Set(words)).toEqual(new Set(["Uid:", uid, "Gid:", gid, "Groups:"]));
    const service = await paste(system);
    expect(service).toMatchObject({ code: 2 });
    expect(service.stderr).toContain("installed without a service");
    const removed = await system.exec("rport-agent", ["uninstall"]);
    expect(removed).toMatchObject({ code: 0, stderr: "" });
    expect(await wholeTree(system)).toEqual(before);
    expect(await agentProcesses(system)).toBe("");
  });

  test("with --runtime node the host's Node runs it, as a service", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.writeFile("/usr/bin/node", await readFile(process.execPath), "0755");
    const before = await wholeTree(system);
    expect(await paste(system, "--runtime node")).toMatchObject({ code: 0 });
    const unit = await system.readFile("/etc/systemd/system/rport.service");
    expect(unit).toContain("ExecStart=/usr/bin/node /usr/local/lib/rport/agent.cjs run -c ");
    expect(await system.exec("rport-agent", ["--version"])).toMatchObject({ code: 0 });
    const again = await paste(system, "--runtime node");
    expect(again.stdout).toContain("already enrolled");
    expect(await system.exec("rport-agent", ["status"])).toMatchObject({ code: 0 });
    expect(await system.exec("rport-agent", ["uninstall"])).toMatchObject({ code: 0 });
    expect(await wholeTree(system)).toEqual(before);
  });

  test.each([
    "/var/lib/rport",
    "/usr/local/bin/rport-agent.new",
    "/etc/rport/rport.conf",
    "/etc/systemd/system/rport.service",
  ])("PAIR-26: killed when %s appears, the next run works", async (mark) => {
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    await system.writeFile("/tmp/line", await line());
    await system.writeFile("/tmp/kill", killer(mark));
    const killed = await system.exec("sh", ["/tmp/kill"], { timeoutMs: INSTALL_MS });
    expect(killed).toMatchObject({ code: 137, stdout: expect.not.stringContaining("connected") });
    expect(await paste(system)).toMatchObject({ code: 0 });
    expect(await system.exec("rport-agent", ["status"])).toMatchObject({ code: 0 });
    expect(await system.exec("rport-agent", ["uninstall"])).toMatchObject({ code: 0 });
    expect(await wholeTree(system)).toEqual(before);
  });

  test("interrupted while it waits, it takes everything back", async () => {
    const serverUrls = ["http://127.0.0.1:9"];
    const { release } = server();
    await using unreachable = await startBackend({ agentFiles: release.directory, serverUrls });
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    const { token } = await newPairing(unreachable);
    await system.writeFile("/tmp/installer", await readFile(release.script));
    const args = ["/tmp/installer", "--server", unreachable.url, "--token-stdin"];
    const running = system.exec("sh", args, { input: token, timeoutMs: INSTALL_MS });
    await eventually(async () => {
      expect(await system.exists("/var/lib/rport/state.json")).toBe(true);
    }, INSTALL_MS);
    await system.exec("sh", ["-c", `${FIND_INSTALL} kill -INT $pid; done`]);
    const result = await running;
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("Interrupted");
    expect(await wholeTree(system)).toEqual(before);
  });

  test("--dry-run tells the steps and changes nothing", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    const result = await paste(system, "--dry-run");
    expect(result).toMatchObject({ code: 0 });
    for (const part of [
      "user rport",
      "/usr/local/bin/rport-agent",
      "rport.conf",
      "rport.service",
    ]) {
      expect(result.stdout).toContain(part);
    }
    expect(await wholeTree(system)).toEqual(before);
  });
});

/** A loop over the agent's installing processes; needs `done`. */
const FIND_INSTALL = `for p in /proc/[0-9]*; do
  tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q 'rport-agent[^ ]* install ' || continue
  pid=\${p#/proc/};`;

/** Runs the line, and kills what installs as soon as there is a file. */
function killer(mark: string): string {
  return `sh /tmp/line & job=$!; while [ ! -e ${mark} ]; do :; done; ${FIND_INSTALL} kill -KILL $pid; done; wait $job`;
}

async function agentProcesses(system: System): Promise<string> {
  const script = 'grep -lsz "^run$" /proc/[0-9]*/cmdline';
  return (await system.exec("sh", ["-c", script])).stdout;
}
