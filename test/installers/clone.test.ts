import { readFile } from "node:fs/promises";
import type { ClientId } from "@rport/protocol/ids";
import { describe, expect, test } from "vitest";
import { hostsOf } from "../../extension/src/install/hosts.ts";
import { eventually } from "../support/eventually.ts";
import { INSTALL_MS, withInstallerServer } from "../support/installer/installerServer.ts";
import { curlLine, newPairing, withFlags } from "../support/installer/pairing.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

/** Everything that a copy of the disk would have, too. */
const COPIED =
  "/etc/machine-id /etc/passwd /etc/group /etc/shadow /etc/rport /etc/systemd/system/rport.service " +
  "/etc/systemd/system/multi-user.target.wants/rport.service " +
  "/usr/local/bin/rport-agent /usr/local/lib/rport /var/lib/rport";

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("PAIR-29: a copy of a host, started beside it", () => {
  const server = withInstallerServer("systemd");

  const boot = async () => {
    const system = await bootSystemd({ shareNetwork: true });
    await system.writeFile("/usr/bin/node", await readFile(process.execPath), "0755");
    return system;
  };
  const pasted = async (system: System, flags = "") => {
    const made = await newPairing(server().backend);
    const line = withFlags(curlLine(made), `--runtime node ${flags}`);
    const result = await system.exec("sh", ["-c", line], { timeoutMs: INSTALL_MS });
    const pairings = await server().backend.api("listPairings");
    const pairing = pairings.find(({ id }) => id === made.pairing.id) ?? made.pairing;
    const nobody = { clients: new Map(), joins: [], arrived: new Set<string>(), name: "" };
    // as the sheet does
    const shown = hostsOf({ ...nobody, pairing, serverNowMs: Date.now() });
    return { ...result, shown };
  };

  test("is told at the terminal and in the sheet what it is and what helps, and does no harm", async () => {
    const { backend } = server();
    await using original = await boot();
    expect(await pasted(original)).toMatchObject({ code: 0 });
    const clientId = (await original.readFile("/etc/machine-id")).trim() as ClientId;
    const since = async () => {
      const client = await backend.api("getClient", { params: { clientId } });
      expect(client.connection_state).toBe("connected");
      return client.connected_at;
    };
    const first = await since();

    await using copy = await boot();
    const pack = `tar -cz ${COPIED} 2>/dev/null | base64 -w 0`;
    const { stdout: packed } = await original.exec("sh", ["-c", pack]);
    const unpack = "base64 -d | tar -xz -C / && systemctl daemon-reload && systemctl start rport";
    expect(await copy.exec("sh", ["-c", unpack], { input: packed })).toMatchObject({ code: 0 });
    await eventually(async () => {
      const told = await copy.exec("rport-agent", ["status"]);
      expect(told).toMatchObject({ code: 8, stdout: expect.stringContaining("already connected") });
    });

    const refused = await pasted(copy);
    const sentence = "one is a copy of the other: enroll the copy with --new-id";
    expect(refused).toMatchObject({ code: 8, stderr: expect.stringContaining(sentence) });
    const text = expect.stringContaining(sentence);
    expect(refused.shown).toMatchObject([{ clientId, stage: "refused", cure: "newId", text }]);
    expect(await since()).toBe(first);

    expect(await pasted(copy, "--new-id")).toMatchObject({ code: 0 });
    expect(await backend.api("listClients")).toHaveLength(2);
    expect(await since()).toBe(first);
  });
});
