import { readFile } from "node:fs/promises";
import type { ClientId } from "@rport/protocol/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { curlLine, newPairing } from "../support/installer/pairing.ts";
import { type RealRelease, realRelease } from "../support/installer/realRelease.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { ensureRootfs } from "../support/systemd/rootfs.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const FIRST_BUILD_MS = 400_000;
const INSTALL_MS = 90_000;
const UNIT = "/etc/systemd/system/rport.service";
const CONFIG = "/etc/rport/rport.conf";
const PROGRAM = "/usr/local/bin/rport-agent";

/** What RPort's client writes as its unit when it is told to install itself. */
const CLIENT_UNIT = `[Unit]
Description=Create reverse tunnels with ease.
ConditionFileIsExecutable=/usr/local/bin/rport

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart=/usr/local/bin/rport "-c" "/etc/rport/rport.conf"
User=rport
Restart=always
RestartSec=120
EnvironmentFile=-/etc/sysconfig/rport

[Install]
WantedBy=multi-user.target
`;

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)(
  "PAIR-28: RPort's own client, as its package leaves it",
  () => {
    let release: RealRelease;

    beforeAll(async () => {
      await ensureRootfs();
      release = await realRelease();
    }, FIRST_BUILD_MS);
    afterAll(async () => release?.[Symbol.asyncDispose]());

    test("gives its place and its settings, stays the same host, and can be brought back", async () => {
      await using backend = await startBackend({ agentFiles: release.directory });
      await using system = await bootSystemd({ shareNetwork: true });
      await installClient(system, backend.url);
      const clientUnit = await system.readFile(UNIT);
      const old = await system.readFile(CONFIG);

      const dry = await paste(system, curlLine(await newPairing(backend)), "--dry-run");
      expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining("RPort's own client") });
      expect(await system.readFile(UNIT)).toBe(clientUnit);

      const installed = await paste(system, curlLine(await newPairing(backend)));
      expect(installed).toMatchObject({ code: 0 });
      expect(installed.stdout).toContain("RPort's own client is stopped; its settings are kept");
      const params = { clientId: "host-of-old" as ClientId };
      const client = await backend.api("getClient", { params });
      expect(client.connection_state).toBe("connected");
      const config = await system.readFile(CONFIG);
      for (const kept of ['tunnel_allowed = [ ":22" ]', "odd_key", "/var/log/rport/rport.log"]) {
        expect(config).toContain(kept);
      }
      expect(await system.readFile("/var/log/rport/rport.log")).toContain('"connected"');
      expect(await clients(system)).toBe("");
      expect((await paste(system, curlLine(await newPairing(backend)))).stdout).toContain(
        "already",
      );

      const removed = await system.exec(PROGRAM, ["uninstall"]);
      expect(removed).toMatchObject({ code: 0 });
      const back = removed.stdout.split("brings it back:\n")[1] ?? "";
      expect(await system.exec("sh", ["-ec", back])).toMatchObject({ code: 0 });
      expect(await system.readFile(CONFIG)).toBe(old);
      expect(await system.readFile(UNIT)).toBe(clientUnit);
      await eventually(async () => expect(await clients(system)).not.toBe(""));
    });

    test("serves as before when the agent cannot take its place", async () => {
      const serverUrls = ["http://127.0.0.1:9"];
      await using backend = await startBackend({ agentFiles: release.directory, serverUrls });
      await using system = await bootSystemd({ shareNetwork: true });
      await installClient(system, "http://127.0.0.1:9");
      const before = await wholeTree(system);
      const { token } = await newPairing(backend);
      await system.writeFile("/tmp/installer", await readFile(release.script));
      const args = ["/tmp/installer", "--server", backend.url, "--token-stdin"];
      const failed = await system.exec("sh", args, { input: token, timeoutMs: INSTALL_MS });
      expect(failed).toMatchObject({ code: 8 });
      expect(await wholeTree(system)).toEqual(before);
      expect(await system.exec("systemctl", ["is-enabled", "rport"])).toMatchObject({ code: 0 });
      await eventually(async () => expect(await clients(system)).not.toBe(""));
    });
  },
);

function paste(system: System, line: string, flags = "") {
  const command = line.replace("--token-stdin", `--token-stdin ${flags}`);
  return system.exec("sh", ["-c", command], { timeoutMs: INSTALL_MS });
}

/** A stand-in for the client: what counts is its unit, its account and its files. */
async function installClient(system: System, server: string): Promise<void> {
  const home = ["--home-dir", "/var/lib/rport", "--create-home", "--skel", "/nonexistent"];
  await system.exec("useradd", ["--system", "--user-group", ...home, "rport"]);
  await system.exec("install", ["-d", "-o", "rport", "-g", "rport", "/var/log/rport"]);
  await system.writeFile("/usr/local/bin/rport", "#!/bin/sh\nexec sleep 86400\n", "0755");
  const config = `[client]
  server = "${server}"
  auth = "old:client-secret-of-old"
  id = "host-of-old"
  use_system_id = false
  tunnel_allowed = [":22"]
  data_dir = "/var/lib/rport"
  odd_key = "of a later release"
[connection]
  keep_alive = '3m'
[logging]
  log_file = "/var/log/rport/rport.log"
  log_level = "info"
[remote-commands]
  enabled = false
`;
  await system.writeFile(CONFIG, config);
  await system.exec("chown", ["rport:root", CONFIG]);
  await system.exec("chmod", ["640", CONFIG]);
  await system.writeFile(UNIT, CLIENT_UNIT);
  await system.exec("systemctl", ["daemon-reload"]);
  const started = await system.exec("systemctl", ["enable", "--now", "rport.service"]);
  expect(started).toMatchObject({ code: 0 });
}

/** The processes of the stand-in. */
async function clients(system: System): Promise<string> {
  return (await system.exec("sh", ["-c", 'grep -lsz "^86400$" /proc/[0-9]*/cmdline'])).stdout;
}
