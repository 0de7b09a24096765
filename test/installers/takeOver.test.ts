import { readFile } from "node:fs/promises";
import type { ClientId } from "@rport/protocol/ids";
import { describe, expect, test } from "vitest";
import { startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { INSTALL_MS, withInstallerServer } from "../support/installer/installerServer.ts";
import { curlLine, newPairing } from "../support/installer/pairing.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import type { InitName } from "../support/systemd/rootfs.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const CONFIG = "/etc/rport/rport.conf";
const PROGRAM = "/usr/local/bin/rport-agent";
const BACK_MS = 30_000;

/** What keeps RPort's client up, where it is, and what starts that with the machine and now. */
interface ClientService {
  readonly file: string;
  readonly text: string;
  readonly mode: string;
  readonly enable: string;
  /** Whether it starts with the machine. */
  readonly isEnabled: string;
}

/** What RPort's client writes as its unit when it is told to install itself. */
const UNIT: ClientService = {
  file: "/etc/systemd/system/rport.service",
  mode: "0644",
  enable: "systemctl daemon-reload && systemctl enable --now rport.service",
  isEnabled: "systemctl is-enabled rport",
  text: `[Unit]
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
`,
};

/** What RPort's installer writes for OpenRC. */
const OPENRC_SCRIPT: ClientService = {
  file: "/etc/init.d/rport",
  mode: "0755",
  enable: "rc-service rport start && rc-update add rport default",
  isEnabled: "[ -e /etc/runlevels/default/rport ]",
  text: `#!/sbin/openrc-run
command="/usr/local/bin/rport"
command_args="-c /etc/rport/rport.conf"
command_user="rport"
command_background=true
pidfile=/var/run/rport.pid
`,
};

/** In the manner of what RPort's client writes for the older init: it starts the client as root. */
const SYSV_SCRIPT: ClientService = {
  file: "/etc/init.d/rport",
  mode: "0755",
  enable:
    "/etc/init.d/rport start && for n in 2 3 4 5; do ln -s ../init.d/rport /etc/rc$n.d/S50rport; done",
  isEnabled: "[ -e /etc/rc2.d/S50rport ]",
  text: `#!/bin/sh
# chkconfig: - 99 01
# description: Create reverse tunnels with ease.
# processname: /usr/local/bin/rport

### BEGIN INIT INFO
# Provides:          /usr/local/bin/rport
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Create reverse tunnels with ease.
### END INIT INFO

cmd="/usr/local/bin/rport "-c" "/etc/rport/rport.conf""
pid_file=/var/run/rport.pid
is_running() { [ -f "$pid_file" ] && kill -0 "$(cat "$pid_file")" 2>/dev/null; }
case "$1" in
  start)
    is_running && exit 0
    $cmd >>/var/log/rport.log 2>>/var/log/rport.err </dev/null &
    echo $! >"$pid_file" ;;
  stop)
    is_running || exit 0
    kill "$(cat "$pid_file")"
    while is_running; do sleep 0.1; done
    rm -f "$pid_file" ;;
  restart) $0 stop && $0 start ;;
  status) is_running ;;
esac
`,
};

const SERVICES = { systemd: UNIT, openrc: OPENRC_SCRIPT, sysv: SYSV_SCRIPT } as const;
const INITS: readonly InitName[] = ["systemd", "openrc", "sysv"];

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("PAIR-28: RPort's own client, as it is installed", () => {
  const server = withInstallerServer(...INITS);

  test.each(INITS)(
    "gives its place under %s and its settings, stays the same host, and can be brought back",
    async (init) => {
      const { release } = server();
      await using backend = await startBackend({ agentFiles: release.directory });
      await using system = await bootSystemd({ shareNetwork: true, init });
      const { file } = SERVICES[init];
      await installClient(system, backend.url, SERVICES[init]);
      const service = await system.readFile(file);
      const old = await system.readFile(CONFIG);

      const dry = await paste(system, curlLine(await newPairing(backend)), "--dry-run");
      expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining("RPort's own client") });
      expect(await system.readFile(file)).toBe(service);

      const installed = await paste(system, curlLine(await newPairing(backend)));
      expect(installed, installed.stderr).toMatchObject({ code: 0 });
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
      await system.reboot();
      await eventually(async () => {
        expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
      }, BACK_MS);
      expect(await clients(system)).toBe("");

      const removed = await system.exec(PROGRAM, ["uninstall"]);
      expect(removed).toMatchObject({ code: 0 });
      const back = removed.stdout.split("brings it back:\n")[1] ?? "";
      expect(await system.exec("sh", ["-ec", back])).toMatchObject({ code: 0 });
      expect(await system.readFile(CONFIG)).toBe(old);
      expect(await system.readFile(file)).toBe(service);
      expect((await system.exec("stat", ["-c", "%a", file])).stdout.trim()).toBe(
        SERVICES[init].mode.slice(1),
      );
      await eventually(async () => expect(await clients(system)).not.toBe(""));
    },
  );

  test.each(INITS)(
    "serves as before under %s when the agent cannot take its place",
    async (init) => {
      const { release } = server();
      const serverUrls = ["http://127.0.0.1:9"];
      await using backend = await startBackend({ agentFiles: release.directory, serverUrls });
      await using system = await bootSystemd({ shareNetwork: true, init });
      await installClient(system, "http://127.0.0.1:9", SERVICES[init]);
      const before = await wholeTree(system);
      const { token } = await newPairing(backend);
      await system.writeFile("/tmp/installer", await readFile(release.script));
      const args = ["/tmp/installer", "--server", backend.url, "--token-stdin"];
      const failed = await system.exec("sh", args, { input: token, timeoutMs: INSTALL_MS });
      expect(failed).toMatchObject({ code: 8 });
      expect(await wholeTree(system)).toEqual(before);
      expect(await system.exec("sh", ["-c", SERVICES[init].isEnabled])).toMatchObject({ code: 0 });
      await eventually(async () => expect(await clients(system)).not.toBe(""));
    },
  );
});

function paste(system: System, line: string, flags = "") {
  const command = line.replace("--token-stdin", `--token-stdin ${flags}`);
  return system.exec("sh", ["-c", command], { timeoutMs: INSTALL_MS });
}

/**
 * It waits until it is ended. OpenRC knows what it ends by the program's file, so there it is curl, which
 * takes the same words and waits for somebody to write into a pipe.
 */
const STAND_IN = {
  script: "#!/bin/bash\nexec -a /usr/local/bin/rport sleep 86400\n",
  curl: `cp /usr/bin/curl /usr/local/bin/rport && cd /var/lib/rport && mkfifo never &&
    echo 'url = "file:///var/lib/rport/never"' >.curlrc && chown rport .curlrc never`,
};

/** A stand-in for the client: what counts is its unit, its account and its files. */
async function installClient(
  system: System,
  server: string,
  { file, text, mode, enable }: ClientService,
): Promise<void> {
  const home = ["--home-dir", "/var/lib/rport", "--create-home", "--skel", "/nonexistent"];
  await system.exec("useradd", ["--system", "--user-group", ...home, "rport"]);
  await system.exec("install", ["-d", "-o", "rport", "-g", "rport", "/var/log/rport"]);
  await system.writeFile("/usr/local/bin/rport", STAND_IN.script, "0755");
  if (text === OPENRC_SCRIPT.text) {
    expect(await system.exec("sh", ["-ec", STAND_IN.curl])).toMatchObject({ code: 0 });
  }
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
  await system.writeFile(file, text, mode);
  expect(await system.exec("sh", ["-c", enable])).toMatchObject({ code: 0 });
}

/** The processes of the stand-in. */
async function clients(system: System): Promise<string> {
  const list = 'grep -lsz "^/usr/local/bin/rport$" /proc/[0-9]*/cmdline';
  return (await system.exec("sh", ["-c", list])).stdout;
}
