import { BenchBackend } from "./backend.ts";
import { sharedNowMs } from "./childPort.ts";
import { runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";
import type { SwarmHandlers } from "./swarm.ts";

const AGENTS = 1_000;
const PARALLEL = 16;
const LIMIT_S = 1;
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
  const startMs = sharedNowMs();
  const report = await backend.api("deleteCredential", {
    params: { authId: login.authId },
    query: { force: "true", report: "true" },
  });
  const answerS = (sharedNowMs() - startMs) / 1_000;
  const gone = await swarm.ask("until", { online: 0, timeoutMs: TIMEOUT_MS });
  const cutS = (gone.onlineChangedMs - startMs) / 1_000;
  row({
    what: `a credential with ${number(AGENTS)} live agents is deleted: answer`,
    figure: `${number(answerS)} s, ${number(report.disconnected)} cut`,
    checks: [
      atMost(answerS, LIMIT_S, "s"),
      atMost(AGENTS - report.disconnected, 0, "agents not counted"),
    ],
  });
  row({
    what: "last agent has noticed",
    figure: gone.isReached ? `${number(cutS)} s` : `${gone.online} still connected`,
    checks: [atMost(gone.isReached ? cutS : Number.POSITIVE_INFINITY, LIMIT_S, "s")],
  });
  const { online, refused } = await afterAttempts(swarm);
  row({
    what: "agents let in again afterwards",
    figure: `${online} of ${number(refused)} that tried`,
    checks: [atMost(online, 0, "agents")],
  });
});

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
