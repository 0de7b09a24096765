import { BenchAgent, SOURCES } from "./agents.ts";
import { BenchBackend } from "./backend.ts";
import type { Bench } from "./harness.ts";
import { Program } from "./program.ts";
import type { SwarmHandlers } from "./swarm.ts";

const AGENTS = 1_000;
const QUICK_AGENTS = 100;
const PARALLEL = 16;

/** Starts a backend with many agents that are connected and do nothing, and real ones of these ids. */
export async function startFleet({ scope, options }: Bench, clientIds: readonly string[]) {
  const backend = scope.use(await BenchBackend.start());
  const login = await backend.createLogin("bench-agents");
  const place = { server: backend.agentUrl, fingerprint: backend.fingerprint };
  const swarm = scope.use(await Program.script<SwarmHandlers>("swarm.ts"));
  const agents = options.isQuick ? QUICK_AGENTS : AGENTS;
  await swarm.ask("add", { ...place, ...login, from: 0, count: agents, parallel: PARALLEL });
  const target = Number(scope.use(await Program.script("targetServer.ts")).ready);
  for (const clientId of clientIds) {
    scope.use(await BenchAgent.start(SOURCES, backend, { login, clientId }));
  }
  return {
    backend,
    /** Where agents connect. */
    place,
    /** How many do nothing. */
    agents,
    /** How many of those were disconnected. */
    lost: async () => (await swarm.ask("state")).lost,
    /** Opens a tunnel through a real one to a target that answers; answers with its port. */
    openTunnel: (clientId: string) => backend.openTunnel(clientId, target),
  };
}
