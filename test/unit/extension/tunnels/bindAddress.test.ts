import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { localTunnelRow } from "../../../../extension/src/model/rows/tunnelRow.ts";
import { commandLine } from "../../../../extension/src/model/tunnels/commandLine.ts";
import { isExposed } from "../../../../extension/src/model/tunnels/localHost.ts";
import { systemCode } from "../../../../extension/src/support/describeError.ts";
import { bindAddressOf } from "../../../../extension/src/tunnels/bindAddress.ts";
import type { LocalTunnel } from "../../../../extension/src/tunnels/localTunnel.ts";
import { LocalTunnels } from "../../../../extension/src/tunnels/localTunnels.ts";
import { MemoryFile } from "../../../../extension/src/tunnels/memory/memoryFile.ts";
import { refuseLoop } from "../../../../extension/src/tunnels/thisComputer.ts";
import { FakeClock } from "../../../support/clock.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { silentLog } from "../serverFixture.ts";

const OWN = ["192.168.1.5", "fd00::5"];

function request(port: number, localPort?: number) {
  const client = { clientId: "machine-3", clientName: "db-01", serverKey: "https://relay" };
  return { ...client, remote: { host: "127.0.0.1", port }, localPort, isThisComputer: false };
}

async function reached(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  // it is cut at once, which may be seen before that it was there
  const isOpen = await once(socket, "close").then(
    () => true,
    (error: unknown) => systemCode(error) !== "ECONNREFUSED",
  );
  socket.destroy();
  return isOpen;
}

describe("the address on which tunnels listen", () => {
  it("is one of this computer, and 127.0.0.1 unless somebody says otherwise", () => {
    for (const none of [undefined, null, "", "  ", 7, ["0.0.0.0"]]) {
      expect(bindAddressOf(none, OWN)).toBe("127.0.0.1");
    }
    expect(bindAddressOf(" 192.168.1.5 ", OWN)).toBe("192.168.1.5");
    expect(bindAddressOf("FD00:0::5", OWN)).toBe("fd00::5");
    expect(bindAddressOf("127.0.0.9", OWN)).toBe("127.0.0.9");
    expect(bindAddressOf("::1", OWN)).toBe("::1");
  });

  it.each([
    ["0.0.0.0", "all addresses at once"],
    ["::", "all addresses at once"],
    ["0:0::0", "all addresses at once"],
    ["::ffff:0.0.0.0", "this computer has 127.0.0.1, 192.168.1.5, fd00::5"],
    ["8.8.8.8", "this computer has 127.0.0.1, 192.168.1.5, fd00::5"],
    ["localhost", "it is no IP address"],
    ["192.168.1.5:80", "it is no IP address"],
    ["eth0", "it is no IP address"],
  ])("is refused by name where it is none: %s", (setting, why) => {
    expect(() => bindAddressOf(setting, OWN)).toThrow(why);
    expect(() => bindAddressOf(setting, OWN)).toThrow("rport.tunnels.bindAddress");
  });

  it("is that of the time when a tunnel is opened, also after a restart", async () => {
    await using folder = await tempDirectory();
    let address = "127.0.0.2";
    const path = join(folder.path, "tunnels.json");
    const start = () => {
      const memory = new MemoryFile({ path, log: silentLog });
      const access = async () => ({ kind: "noToken" }) as const;
      const bindAddress = () => address;
      const clock = new FakeClock();
      return new LocalTunnels({
        accessTo: () => access,
        clock,
        log: silentLog,
        memory,
        bindAddress,
      });
    };
    const first = start();
    const tunnel = await first.open(request(2_022));
    expect(tunnel.localHost).toBe("127.0.0.2");
    expect(await reached("127.0.0.2", tunnel.localPort)).toBe(true);
    expect(await reached("127.0.0.1", tunnel.localPort)).toBe(false);
    address = "127.0.0.1";
    // the same port of another address is another place
    const other = await first.open(request(2_023, tunnel.localPort));
    expect([other.localHost, other.localPort]).toEqual([undefined, tunnel.localPort]);
    first.dispose();
    expect(JSON.parse(await readFile(path, "utf8")).tunnels).toMatchObject([
      { localHost: "127.0.0.2" },
      {},
    ]);
    const second = start();
    await second.load();
    const again = await second.reopen(tunnel.id);
    expect(again).toMatchObject({ localHost: "127.0.0.2", localPort: tunnel.localPort });
    expect(await reached("127.0.0.2", tunnel.localPort)).toBe(true);
    second.dispose();
  });

  it("is told when it cannot be listened on any more, and no tunnel is opened elsewhere instead", async () => {
    const access = async () => ({ kind: "noToken" }) as const;
    const clock = new FakeClock();
    const bindAddress = () => "203.0.113.77";
    const deps = { accessTo: () => access, clock, log: silentLog, bindAddress };
    const tunnels = new LocalTunnels(deps);
    await expect(tunnels.open(request(2_022))).rejects.toThrow("203.0.113.77 is no address");
    const refusing = new LocalTunnels({
      ...deps,
      bindAddress: () => bindAddressOf("8.8.8.8", OWN),
    });
    await expect(refusing.open(request(2_022))).rejects.toThrow("rport.tunnels.bindAddress");
    expect(refusing.all).toEqual([]);
  });

  it("is in the row, with a warning where others reach it, and in what is copied", () => {
    const facts: LocalTunnel = {
      id: "a",
      serverKey: "",
      clientId: "m",
      clientName: "db-01",
      workspace: "",
      remote: { host: "127.0.0.1", port: 5_432 },
      localPort: 15_432,
      isOpen: true,
      connections: 0,
      failure: undefined,
      broke: undefined,
    };
    const shown = localTunnelRow({ ...facts, localHost: "fd00::5" }, "db-01", 0);
    expect(shown.label).toBe("[fd00::5]:15432");
    expect(shown.description).toMatch(/^open to other computers \u00B7 /);
    expect(shown.spoken).toContain("open to other computers");
    expect(shown.icon).toEqual({ name: "plug", color: "list.warningForeground" });
    const near = localTunnelRow({ ...facts, localHost: "127.0.0.2" }, "db-01", 0);
    expect(near).toMatchObject({ label: "127.0.0.2:15432", icon: { name: "plug" } });
    expect(near.description).not.toContain("other computers");
    const line = { remotePort: 5_432, localPort: 15_432, clientId: "m", kind: undefined };
    expect(commandLine({ ...line, localHost: "192.168.1.5" })).toBe("psql -h 192.168.1.5 -p 15432");
    expect(isExposed("192.168.1.5") && !isExposed("127.0.0.2") && !isExposed("::1")).toBe(true);
  });

  it("makes no loop through another host, which can reach it", () => {
    const open = [{ localPort: 8_080, localHost: "192.168.1.5" }];
    const question = { isThisComputer: false, localPort: undefined };
    const to = (host: string) => ({ ...question, remote: { host, port: 8_080 } });
    expect(() => refuseLoop(to("192.168.1.5"), open)).toThrow("would lead into itself");
    expect(() => refuseLoop(to("192.168.1.6"), open)).not.toThrow();
    expect(() => refuseLoop({ ...to("127.0.0.1"), isThisComputer: true }, open)).not.toThrow();
    const near = [{ localPort: 8_080 }];
    expect(() => refuseLoop({ ...to("127.0.0.1"), isThisComputer: true }, near)).toThrow("itself");
  });
});
