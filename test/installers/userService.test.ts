import type { ClientId } from "@rport/protocol/ids";
import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { INSTALL_MS, withInstallerServer } from "../support/installer/installerServer.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const PREFIX = "/home/me/my agent";
const BACK_MS = 30_000;

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("PAIR-27: below a directory of an ordinary user's", () => {
  const server = withInstallerServer("systemd");

  const paste = async (system: System, flags = "") => {
    const all = `--prefix '${PREFIX}' ${flags}`;
    const line = (await server().line(all)).replace("sudo sh", "sh");
    return asMe(system, ["sh", "-c", line]);
  };

  test("a service of the user's own comes back after a crash and a reboot, and goes without a trace", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.exec("useradd", ["--create-home", "me"]);
    await system.exec("loginctl", ["enable-linger", "me"]);
    await eventually(async () => expect(await isUserUp(system)).toBe(true), BACK_MS);
    const before = await wholeTree(system);
    const dry = await paste(system, "--dry-run");
    expect(dry.stdout).toMatch(/would set up the service rport-[0-9a-f]{8}\.service of me/);
    expect(await wholeTree(system)).toEqual(before);

    const installed = await paste(system);
    expect(installed).toMatchObject({ code: 0 });
    expect(installed.stdout).toContain(`${PREFIX}/bin/rport-agent' uninstall --prefix '${PREFIX}'`);
    expect(installed.stdout).not.toContain("log out");
    const clientId = (await system.readFile("/etc/machine-id")).trim() as ClientId;
    const connectedAt = async () => {
      const client = await server().backend.api("getClient", { params: { clientId } });
      expect(client.connection_state).toBe("connected");
      return client.connected_at;
    };
    const first = await connectedAt();
    const kill = 'kill -KILL $(grep -lsz "^run$" /proc/[0-9]*/cmdline | cut -d/ -f3)';
    await system.exec("sh", ["-c", kill]);
    const second = await eventually(async () => {
      const at = await connectedAt();
      expect(at).not.toBe(first);
      return at;
    }, BACK_MS);
    expect((await paste(system)).stdout).toContain("already enrolled");

    await system.reboot();
    await eventually(async () => expect(await connectedAt()).not.toBe(second), BACK_MS);
    const program = `${PREFIX}/bin/rport-agent`;
    const status = await asMe(system, [program, "status", "--prefix", PREFIX]);
    expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining("of me, up") });
    const removed = await asMe(system, [program, "uninstall", "--prefix", PREFIX]);
    expect(removed).toMatchObject({ code: 0, stderr: "" });
    expect(await wholeTree(system)).toEqual(before);
  });

  test("without a systemd of the user's own, a process is started, and what it does not do is told", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.exec("useradd", ["--create-home", "me"]);
    const installed = await paste(system);
    expect(installed).toMatchObject({ code: 0 });
    expect(installed.stdout).toContain("Nothing starts the agent again");
    expect(await system.exists("/home/me/.config")).toBe(false);
    // Were there one now, the agent that runs goes on as it began.
    await system.exec("loginctl", ["enable-linger", "me"]);
    await eventually(async () => expect(await isUserUp(system)).toBe(true), BACK_MS);
    expect((await paste(system)).stdout).toContain("already enrolled");
    expect(await system.exists("/home/me/.config")).toBe(false);
  });

  test("a user who may not linger is told when the agent ends", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await system.exec("useradd", ["--create-home", "me"]);
    const uid = (await system.exec("id", ["-u", "me"])).stdout.trim();
    expect(await system.exec("systemctl", ["start", `user@${uid}`])).toMatchObject({ code: 0 });
    const installed = await paste(system);
    expect(installed).toMatchObject({ code: 0 });
    expect(installed.stdout).toContain("ends when you log out");
    expect(installed.stdout).toContain("loginctl enable-linger me");
  });
});

function asMe(system: System, [program = "", ...args]: readonly string[]) {
  const words = ["-u", "me", "--", program, ...args];
  return system.exec("runuser", words, { timeoutMs: INSTALL_MS, env: { HOME: "/home/me" } });
}

async function isUserUp(system: System): Promise<boolean> {
  const uid = (await system.exec("id", ["-u", "me"])).stdout.trim();
  const asked = ["env", `XDG_RUNTIME_DIR=/run/user/${uid}`, "systemctl", "--user", "show"];
  return (await asMe(system, asked)).code === 0;
}
