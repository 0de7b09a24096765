// Writes down what the agent and the backend of a release say to each other, as a fixture for
// `test/integration/release/neighbours.test.ts`. When a version was released, run in this checkout, with
// another one of the release in which `npm ci` and `npm run package` were run:
//
//   npx node test/support/release/recordWire.ts CHECKOUT test/fixtures/wire-VERSION.json
//
// With `--backend CHECKOUT`, the backend is that one's: what neighbours say to each other, to be looked at.
// Everything in it that could tell of this machine is replaced: names, addresses, secrets, ports.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs, promisify } from "node:util";
import { serverKeyFromSeed, sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import { type AgentProgram, spawnAgent } from "../agents/agent.ts";
import { type SpawnedBackend, spawnBackend } from "../backend/spawnBackend.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../freePort.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { tapWire, type WireTap } from "../wire/wireTap.ts";
import { tcpServer } from "../wire/wireTunnel.ts";
import { PORTS, type RecordedPorts, type RecordedSession } from "./wireRecording.ts";

const CLIENT = "host-1";
/** What the key of the recorded server is made from. */
const KEY_SEED = "the key of the recorded server";
const serverKey = serverKeyFromSeed(KEY_SEED);
const params = { clientId: CLIENT };

/** A made-up host. */
const MADE_UP: Readonly<Record<string, unknown>> = {
  Name: "web-01",
  Hostname: "web-01.example",
  OS: "Linux web-01 6.1.0 #1 SMP x86_64 GNU/Linux",
  OSFullName: "Debian 12.5",
  OSVersion: "12.5",
  OSFamily: "debian",
  OSKernel: "linux",
  OSArch: "amd64",
  OSVirtualizationSystem: "KVM",
  OSVirtualizationRole: "guest",
  CPUFamily: "6",
  CPUModel: "85",
  CPUModelName: "Example CPU",
  CPUVendor: "GenuineIntel",
  NumCPUs: 2,
  MemoryTotal: 4_104_212_480,
  Timezone: "UTC (UTC+00:00)",
  IPv4: ["192.0.2.11"],
  IPv6: ["2001:db8::11"],
};

/** A host's life: connected with a tunnel of its own, tunnels made and refused, a new secret, back again. */
class Life {
  readonly #backend: SpawnedBackend;
  readonly #tap: WireTap;
  readonly #ports: RecordedPorts;

  constructor(backend: SpawnedBackend, tap: WireTap, ports: RecordedPorts) {
    this.#backend = backend;
    this.#tap = tap;
    this.#ports = ports;
  }

  async live(): Promise<void> {
    await this.#isConnected(1);
    await this.#throughTunnel(this.#ports.asked);
    await this.#tunnels();
    await this.#rotation();
    await eventually(() => this.#hasHeard("ping"));
    this.#tap.cut();
    await this.#isConnected(2);
  }

  async #isConnected(sessions: number): Promise<void> {
    await eventually(async () => {
      const { connection_state } = await this.#backend.api.call("getClient", { params });
      if (connection_state !== "connected") throw new Error("the host is away");
      if (this.#tap.sessions.length < sessions) throw new Error("it has not come again");
      this.#hasHeard("put_capabilities");
    });
  }

  #hasHeard(name: string): void {
    const last = this.#tap.sessions.at(-1);
    const isThere = last?.messages.some((one) => one.kind !== "open" && one.name === name);
    if (isThere !== true) throw new Error(`no ${name} yet`);
  }

  /** One that is tried, one whose port is closed, and one that the host does not allow. */
  async #tunnels(): Promise<void> {
    const { api } = this.#backend;
    const remote = `127.0.0.1:${this.#ports.echo}`;
    const tried = { remote, check_port: "1", acl: "127.0.0.0/8" } as const;
    const { lport } = await api.call("createTunnel", { params, query: tried });
    await this.#throughTunnel(Number(lport));
    for (const other of [`127.0.0.1:${this.#ports.closed}`, "192.0.2.1:22"]) {
      const query = { remote: other, check_port: "1" } as const;
      await api.call("createTunnel", { params, query }).then(
        () => Promise.reject(new Error(`there is a tunnel to ${other}`)),
        () => undefined,
      );
    }
  }

  /** Says something, ends its side, and reads the rest: half-close. */
  async #throughTunnel(port: number): Promise<void> {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.end("hello");
    const answer = await text(socket);
    if (answer !== "hello") throw new Error(`the tunnel answered "${answer}"`);
  }

  async #rotation(): Promise<void> {
    const { api } = this.#backend;
    const credential = { authId: "fleet" };
    await api.call("rotateCredential", { params: credential, body: { grace_seconds: null } });
    await eventually(() => this.#hasHeard("rotate_secret"));
    await eventually(() => {
      const [session] = this.#tap.sessions;
      const offer = session?.messages.find(
        (one) => one.kind === "request" && one.reply.ok && one.name === "rotate_secret",
      );
      if (offer === undefined) throw new Error("the host has not stored its secret");
    });
  }
}

/** The sessions without anything of this machine, and without what was secret. */
function madeUp(sessions: readonly RecordedSession[], ports: RecordedPorts): unknown {
  const secrets = [...new Set(sessions.map(({ login }) => login.password))];
  let plain = JSON.stringify(sessions);
  secrets.forEach((secret, at) => {
    plain = plain.replaceAll(secret, `a-made-up-secret-of-the-recording-${at + 1}`);
  });
  for (const key of ["echo", "closed", "asked"] as const) {
    plain = plain.replaceAll(new RegExp(`\\b${ports[key]}\\b`, "g"), PORTS[key]);
  }
  return JSON.parse(plain, (key, value) => {
    if (key === "server") return "http://rport.example.com";
    if (key === "data_dir") return "/var/lib/rport";
    if (key === "SessionID") return "5c2a4c1e-0000-4000-8000-000000000001";
    return key in MADE_UP ? MADE_UP[key] : value;
  });
}

async function recordWire(agentOf: string, backendOf: string, file: string): Promise<void> {
  await using temp = await tempDirectory();
  await using echo = await tcpServer((socket) => socket.pipe(socket));
  const ports = { echo: echo.port, closed: await freePort(), asked: await freePort() };
  const main = join(backendOf, "backend/src/main.ts");
  const config = join(temp.path, "rport-backend.toml");
  await writeFile(config, `[server]\nkey_seed = "${KEY_SEED}"\nused_ports = "1024-65535"\n`);
  const args = ["--config", config];
  await using backend = await spawnBackend(join(temp.path, "data"), args, { main });
  const { password } = await backend.api.call("createCredential", { body: { id: "fleet" } });
  await using tap = await tapWire({ url: backend.endpoint.url, serverKey });
  const program: AgentProgram = {
    command: [process.execPath, join(agentOf, "dist/agent/agent.cjs")],
  };
  const client = {
    id: CLIENT,
    fingerprint: sha256Fingerprint(serverKey.getPublicSSH()),
    auth: `fleet:${password}`,
    remotes: [`${ports.asked}:127.0.0.1:${ports.echo}`],
    tunnel_allowed: ["127.0.0.1"],
    tags: ["web"],
  };
  const settings = { server: tap.url, client, connection: { keep_alive: "1s" } };
  await using agent = await spawnAgent(settings, program);
  try {
    await new Life(backend, tap, ports).live();
  } catch (error) {
    process.stderr.write(agent.log());
    throw error;
  }
  const { version } = JSON.parse(await readFile(join(agentOf, "package.json"), "utf8"));
  const git = await promisify(execFile)("git", ["-C", agentOf, "rev-parse", "HEAD"]);
  const recording = { version, commit: git.stdout.trim(), sessions: madeUp(tap.sessions, ports) };
  await writeFile(file, `${JSON.stringify(recording, null, 1)}\n`);
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { backend: { type: "string" } },
});
const [checkout, file] = positionals.map((path) => resolve(path));
if (checkout === undefined || file === undefined) throw new Error("CHECKOUT and FILE, please");
await recordWire(checkout, resolve(values.backend ?? checkout), file);
