import type { ClientId } from "@rport/protocol/ids";
import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { withInstallerServer } from "../support/installer/installerServer.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import type { InitName } from "../support/systemd/rootfs.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const PROGRAM = "/usr/local/bin/rport-agent";
const SCRIPT = "/etc/init.d/rport";
/** A loop over the agents' processes; needs `done`. */
const AGENTS = `for exe in /proc/[0-9]*/exe; do [ "$(readlink "$exe")" = ${PROGRAM} ] || continue;`;
/** OpenRC waits five seconds before it starts something again. */
const BACK_MS = 30_000;

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("PAIR-27: on a Debian without systemd", () => {
  const server = withInstallerServer("openrc", "sysv");

  const paste = (system: System, flags?: string) => server().paste(system, flags);

  /** A host with an id of its own, as its first boot gives it one. */
  const boot = async (init: InitName) => {
    await using opened = new AsyncDisposableStack();
    const system = opened.use(await bootSystemd({ shareNetwork: true, init }));
    const id = (await system.readFile("/proc/sys/kernel/random/uuid")).trim().replaceAll("-", "");
    await system.exec("tee", ["/etc/machine-id"], { input: `${id}\n` });
    const closing = opened.move();
    return { system, id: id as ClientId, [Symbol.asyncDispose]: () => closing.disposeAsync() };
  };
  const isConnected = async (clientId: ClientId) => {
    const client = await server().backend.api("getClient", { params: { clientId } });
    expect(client.connection_state).toBe("connected");
    return client.connected_at;
  };

  test.each(["openrc", "sysv"] as const)(
    "%s: the pasted line connects the host, a reboot brings it back, nothing is left of it",
    async (init) => {
      await using host = await boot(init);
      const { system, id } = host;
      const before = await wholeTree(system);
      const dry = await paste(system, "--dry-run");
      expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining("the service rport") });
      expect(await wholeTree(system)).toEqual(before);

      const installed = await paste(system);
      expect(installed).toMatchObject({ code: 0 });
      const first = await isConnected(id);
      expect(await owners(system)).toEqual(["rport"]);
      const told = await system.exec(PROGRAM, ["status"]);
      expect(told).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/service rport .*, up/),
      });
      const again = await paste(system);
      expect(again.stdout).toContain("already enrolled");

      await system.reboot();
      await eventually(async () => expect(await isConnected(id)).not.toBe(first), BACK_MS);
      expect(await system.exec(SCRIPT, ["status"])).toMatchObject({ code: 0 });
      expect(await system.exec(SCRIPT, ["stop"])).toMatchObject({ code: 0 });
      expect(await owners(system)).toEqual([]);

      expect(await system.exec(PROGRAM, ["uninstall"])).toMatchObject({ code: 0, stderr: "" });
      expect(await wholeTree(system)).toEqual(before);
    },
  );

  test("OpenRC starts a killed agent again, and the older init says that it does not", async () => {
    await using openrc = await boot("openrc");
    expect((await paste(openrc.system)).stdout).not.toContain("does not start it again");
    const first = await isConnected(openrc.id);
    const kill = `${AGENTS} kill -KILL "$(basename "\${exe%/exe}")"; done`;
    await openrc.system.exec("sh", ["-c", kill]);
    await eventually(async () => expect(await isConnected(openrc.id)).not.toBe(first), BACK_MS);

    await using sysv = await boot("sysv");
    expect((await paste(sysv.system)).stdout).toContain("does not start it again if it ends");
  });

  test("a script of another program keeps its place", async () => {
    await using host = await boot("openrc");
    const { system } = host;
    await system.writeFile(SCRIPT, "#!/sbin/openrc-run\ncommand=/bin/true\n", "0755");
    const before = await wholeTree(system);
    const refused = await paste(system);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("another program") });
    expect(await wholeTree(system)).toEqual(before);
  });
});

/** As whom the agents of a system run; what watches over them has the same words behind it. */
async function owners(system: System): Promise<readonly string[]> {
  const { stdout } = await system.exec("sh", ["-c", `${AGENTS} stat -c %U "\${exe%/exe}"; done`]);
  return [...new Set(stdout.split("\n"))].filter((name) => name !== "");
}
