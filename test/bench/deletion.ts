import { BenchBackend } from "./backend.ts";
import { sharedNowMs } from "./childPort.ts";
import { runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";
import type { SwarmHandlers } from "./swarm.ts";

const AGENTS = 5_000;
const TUNNELS = 1_000;
const PARALLEL = 16;
const LIMIT_S = 1;
/** The answer waits for what follows from the cuts, which leaves the time to others. */
const ANSWER_LIMIT_S = 2;
const STALL_MS = 100;
const TIMEOUT_MS = 20_000;
/** Agents try again after half a second to one second. */
const ATTEMPTS_MS = 10_000;

// F-21: a deletion ends all sessions at once, and none of them comes back.
await runBench(async ({ scope, row }) => {
  const backend = scope.use(await BenchBackend.start());
  const swarm = scope.use(await Program.script<SwarmHandlers>("swarm.ts"));
  const login = await backend.createLogin("bench-deletion");
  const target = { server: backend.agentUrl, fingerprint: backend.fingerprint, ...login };
  await swarm.ask("add", { ...target, from: 0, count: AGENTS, parallel: PARALLEL });
  await openTunnels(backend);
  await backend.stall();
  const startMs = sharedNowMs();
  const report = await backend.api("deleteCredential", {
    params: { authId: login.authId },
    query: { force: "true", report: "true" },
  });
  const answerS = (sharedNowMs() - startMs) / 1_000;
  const gone = await swarm.ask("until", { online: 0, timeoutMs: TIMEOUT_MS });
  const stallMs = await backend.stall();
  const cutS = (gone.onlineChangedMs - startMs) / 1_000;
  row({
    what: `a credential with ${number(AGENTS)} live agents and ${number(TUNNELS)} tunnels is deleted: answer`,
    figure: `${number(answerS)} s, ${number(report.disconnected)} cut`,
    checks: [
      atMost(answerS, ANSWER_LIMIT_S, "s"),
      atMost(AGENTS - report.disconnected, 0, "agents not counted"),
    ],
  });
  row({
    what: "last agent has noticed",
    figure: gone.isReached ? `${number(cutS)} s` : `${gone.online} still connected`,
    checks: [atMost(gone.isReached ? cutS : Number.POSITIVE_INFINITY, LIMIT_S, "s")],
  });
  row({
    what: "longest stop of the event loop meanwhile",
    figure: `${number(stallMs)} ms`,
    checks: [atMost(stallMs, STALL_MS, "ms")],
  });
  const { online, refused } = await afterAttempts(swarm);
  row({
    what: "agents let in again afterwards",
    figure: `${online} of ${number(refused)} that tried`,
    checks: [atMost(online, 0, "agents")],
  });
});

/** One for each of the first agents, to this backend itself. */
async function openTunnels(backend: BenchBackend): Promise<void> {
  const clients = await clientIds(backend);
  const target = Number(new URL(backend.url).port);
  const worker = async (): Promise<void> => {
    for (let next = clients.pop(); next !== undefined; next = clients.pop()) {
      await backend.openTunnel(next, target);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

async function clientIds(backend: BenchBackend): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < TUNNELS) {
    const query = { "page[limit]": "500", "page[offset]": `${ids.length}` };
    const page = await backend.api("listClients", { query });
    if (page.length === 0) throw new Error("there are too few clients");
    ids.push(...page.map(({ id }) => `${id}`));
  }
  return ids.slice(0, TUNNELS);
}

/** Waits until nearly every agent was refused once: an agent that only waits proves nothing. */
async function afterAttempts(swarm: Program<SwarmHandlers>) {
  const endMs = sharedNowMs() + ATTEMPTS_MS;
  for (;;) {
    const state = await swarm.ask("until", { online: 1, timeoutMs: 200 });
    const refused = state.failures.login ?? 0;
    if (state.online > 0 || refused >= AGENTS || sharedNowMs() > endMs) {
      return { online: state.online, refused };
    }
  }
}
