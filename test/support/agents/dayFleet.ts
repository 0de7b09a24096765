import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { AuthId } from "@rport/protocol/ids";
import type { ListeningPort } from "@rport/protocol/tunnels/listening";
import type { Platform } from "../../../agent/src/machine/platform.ts";
import { platformOf } from "../../../agent/src/machine/platformOf.ts";
import type { RunningBackend } from "../backend/backend.ts";
import { startAgent } from "./agent.ts";
import { type Claimed, claimLine } from "./pastedLine.ts";
import { PeerAgent } from "./peerAgent.ts";

/** The credential of the servers, and that of people's own machines. */
export const SERVERS = "servers";
export const LAPTOPS = "laptops";

/** A host of a small company, as it introduces itself. */
interface DayHost {
  readonly name: string;
  readonly system: string;
  readonly tags: readonly string[];
  /** What listens there, as its agent tells. */
  readonly ports?: readonly ListeningPort[];
}

const HOSTS: readonly DayHost[] = [
  { name: "web-01", system: "Debian 12.5", tags: ["web", "prod"] },
  { name: "web-02", system: "Debian 12.5", tags: ["web", "prod"] },
  { name: "web-03", system: "Debian 12.5", tags: ["web", "staging"] },
  { name: "db-02", system: "Ubuntu 24.04", tags: ["db", "staging"] },
  { name: "cache-01", system: "Ubuntu 24.04", tags: ["cache", "prod"] },
  { name: "mail-01", system: "Alpine 3.21", tags: ["mail", "prod"] },
];
const DATABASE: DayHost = { name: "db-01", system: "Ubuntu 24.04", tags: ["db", "prod"] };
const LAPTOP: DayHost = { name: "anna-laptop", system: "macOS 15.5", tags: ["laptop"] };
const BUILDER: DayHost = { name: "build-arm", system: "Alpine 3.21", tags: ["ci"] };

/** What PostgreSQL's programs ask first, and what a server without encryption answers. */
const SSL_REQUEST_BYTES = 8;
const NO_ENCRYPTION = "N";
/** Where PostgreSQL listens, if this machine has that free. */
const POSTGRES = 5432;

/** The hosts of a day, and what a test does to them. */
export interface DayFleet {
  /** What anna-laptop signs in with. */
  readonly laptop: Claimed;
  /** build-arm goes away as a machine whose power is cut. */
  losePower(): void;
}

/** Pairs each host and signs it in, with a secret of its own; they stay until the stack is disposed of. */
export async function joinDayFleet(
  backend: RunningBackend,
  resources: AsyncDisposableStack,
): Promise<DayFleet> {
  const [first] = await backend.api("listCredentials");
  if (first !== undefined) {
    await backend.api("deleteCredential", { params: { authId: first.id } });
  }
  await backend.api("createCredential", { body: { id: SERVERS, label: "Servers" } });
  await backend.api("createCredential", { body: { id: LAPTOPS, label: "Laptops of the team" } });
  const database = await startDatabase(resources);
  const { port } = database.address() as AddressInfo;
  const hosts = [...HOSTS, { ...DATABASE, ports: portsWith(port) }];
  for (const host of hosts) resources.use(await start(backend, host, SERVERS));
  const builder = resources.use(await startBuilder(backend));
  const laptop = await pair(backend, LAPTOP.name, LAPTOPS);
  resources.use(await startPaired(backend, LAPTOP, laptop));
  return { laptop, losePower: () => builder.vanish() };
}

const portsWith = (port: number): readonly ListeningPort[] => [
  { port: 22, address: "0.0.0.0", process: "sshd" },
  { port, address: "127.0.0.1", process: "postgres" },
  { port: 9100, address: "0.0.0.0", process: "node_exporter" },
];

async function pair(backend: RunningBackend, name: string, authId: string): Promise<Claimed> {
  const body = { credential_id: authId as AuthId };
  const { commands } = await backend.api("createPairing", { body });
  const line = commands.find(({ platform }) => platform === "linux")?.text ?? "";
  return await claimLine({ url: backend.url, line, clientId: name, hostname: name });
}

async function start(backend: RunningBackend, host: DayHost, authId: string) {
  return await startPaired(backend, host, await pair(backend, host.name, authId));
}

/** Our own agent, on a system that says of itself what it is told to. */
async function startPaired(
  { url, fingerprint }: RunningBackend,
  { name, system, tags, ports = [] }: DayHost,
  { authId, secret }: Claimed,
) {
  const client = { fingerprint, auth: `${authId}:${secret}`, id: name, name, tags };
  const agent = await startAgent(
    { server: url, client },
    { platform: platformWith(system, ports) },
  );
  await agent.online();
  return agent;
}

function platformWith(system: string, ports: readonly ListeningPort[]): Platform {
  const here = platformOf(process.platform);
  const inventory: Platform["inventory"] = {
    kernel: here.inventory.kernel,
    read: async (files) => ({ ...(await here.inventory.read(files)), OSFullName: system }),
  };
  return { ...here, inventory, listeners: async () => ports };
}

/** The host that can go without a word. */
async function startBuilder(backend: RunningBackend): Promise<PeerAgent> {
  const { name, system, tags } = BUILDER;
  const { authId: user, secret: password } = await pair(backend, name, SERVERS);
  const url = backend.url.replace(/^http/, "ws");
  const introduction = { ID: name, Name: name, OSFullName: system, Hostname: name, Tags: tags };
  return await PeerAgent.join({ url, user, password, introduction });
}

/** Answers as a PostgreSQL without TLS does; everything else comes back as it went. */
async function startDatabase(resources: AsyncDisposableStack): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      socket.write(bytes.length === SSL_REQUEST_BYTES ? NO_ENCRYPTION : bytes);
    });
  });
  resources.defer(() => void server.close());
  const usual = once(server.listen(POSTGRES, "127.0.0.1"), "listening");
  await usual.catch(() => once(server.listen(0, "127.0.0.1"), "listening"));
  return server;
}
