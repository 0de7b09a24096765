import { join } from "node:path";
import { BenchAgent, SOURCES } from "../bench/agents.ts";
import { Program } from "../bench/program.ts";
import { CredentialLoad } from "../support/backend/credentialLoad.ts";
import { BadLine } from "../support/faults/badLine.ts";
import type { SeededRandom } from "../support/random.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { ChaosDisk } from "./disk.ts";
import type { EditorHandlers } from "./editors.ts";
import { RemotePlace } from "./remotePlace.ts";
import { ChaosServer } from "./server.ts";
import type { Sizes } from "./sizes.ts";
import { ChaosSwarm } from "./swarms.ts";

/** First numbers of the agents of each kind; a number is never used twice. */
const FROM = { steady: 0, afar: 100_000, others: 200_000 } as const;
/** Rotations of the load end old secrets at once, so that no step of a clock ends one by right. */
const GRACES_S: readonly [number] = [0];
const CHANCE_STEPS = 1 << 20;

/** What a scene is made of. */
interface Parts {
  readonly disk: ChaosDisk;
  readonly server: ChaosServer;
  /** Where the agents afar are; undefined: at home, since this machine has no namespaces for us. */
  readonly place: RemotePlace | undefined;
  /** The line of the agents afar. */
  readonly line: BadLine;
  readonly steady: ChaosSwarm;
  readonly afar: ChaosSwarm;
  readonly editors: Program<EditorHandlers>;
  /** Ports of this machine that lead through the real agents to an echo. */
  readonly tunnels: readonly number[];
}

/** A server with agents, tunnels and editors, to which faults happen one after the other. */
export interface Scene extends Parts, AsyncDisposable {
  readonly sizes: Sizes;
  readonly random: SeededRandom;
  /** What the server has answered about credentials. */
  readonly load: CredentialLoad;
  /** Where agents of this machine connect. */
  readonly nearPlace: { readonly server: string; readonly fingerprint: string };
  /** The file that tells editors where the server is. */
  readonly endpointFile: string;
  /** Auth ids that were deleted, each with a secret it had. */
  readonly deleted: Map<string, string>;
  /** Agents that stay for the whole run. */
  readonly agents: number;
  /** A number for so many agents that nobody had before. */
  numbersFor(count: number): number;
}

/** Starts everything, and resolves when everybody is in. */
export async function openScene(sizes: Sizes, random: SeededRandom): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const parts = await openParts(opened, sizes, random);
  const { server } = parts;
  const closing = opened.move();
  let nextNumber: number = FROM.others;
  return {
    ...parts,
    sizes,
    random,
    load: new CredentialLoad(random, GRACES_S),
    get nearPlace() {
      return { server: server.agentUrl, fingerprint: server.fingerprint };
    },
    endpointFile: endpointFileOf(server),
    deleted: new Map<string, string>(),
    get agents() {
      return parts.steady.count + parts.afar.count + sizes.real;
    },
    numbersFor(count) {
      const from = nextNumber;
      nextNumber += count;
      return from;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function endpointFileOf(server: ChaosServer): string {
  return join(server.dataDir, "endpoint.json");
}

async function openParts(
  scope: AsyncDisposableStack,
  sizes: Sizes,
  random: SeededRandom,
): Promise<Parts> {
  const disk = scope.use(await ChaosDisk.make());
  const { path: logs } = scope.use(await tempDirectory());
  const logFile = join(logs, "server.log");
  const server = scope.use(await ChaosServer.start(join(disk.path, "data"), logFile));
  const place = remotePlace(scope);
  const chance = () => random.below(CHANCE_STEPS) / CHANCE_STEPS;
  const line = scope.use(await BadLine.open(server.port, chance, place?.host));
  const near = { server: server.agentUrl, fingerprint: server.fingerprint };
  const far = { ...near, server: `ws://${place?.host ?? "127.0.0.1"}:${line.port}` };
  const steady = scope.use(await ChaosSwarm.start(await server.createLogin("steady")));
  await steady.add(near, FROM.steady, sizes.steady);
  const login = await server.createLogin("afar");
  const afar = scope.use(await ChaosSwarm.start(login, place?.prefix));
  await afar.add(far, FROM.afar, sizes.afar);
  const tunnels = await openTunnels(scope, server, sizes.real);
  const script = new URL("editors.ts", import.meta.url).pathname;
  const editors = scope.use(await Program.start<EditorHandlers>({ args: [script] }));
  await editors.ask("open", { file: endpointFileOf(server), count: sizes.editors });
  return { disk, server, place, line, steady, afar, editors, tunnels };
}

function remotePlace(scope: AsyncDisposableStack): RemotePlace | undefined {
  try {
    return scope.use(RemotePlace.make());
  } catch {
    return undefined;
  }
}

/** A real agent for each, with a tunnel to one echo. */
async function openTunnels(
  scope: AsyncDisposableStack,
  server: ChaosServer,
  count: number,
): Promise<number[]> {
  const target = scope.use(await Program.script("targetServer.ts"));
  const login = await server.createLogin("real");
  const ports: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const clientId = `real-${n}`;
    scope.use(await BenchAgent.start(SOURCES, server, { login, clientId }));
    const query = { remote: `127.0.0.1:${Number(target.ready)}`, "skip-idle-timeout": "true" };
    const tunnel = await server.api("createTunnel", { params: { clientId }, query });
    ports.push(Number(tunnel.lport));
  }
  return ports;
}
