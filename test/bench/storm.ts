import { BenchBackend } from "./backend.ts";
import { sharedNowMs } from "./childPort.ts";
import { type Bench, runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";
import type { SwarmHandlers, SwarmState } from "./swarm.ts";

const AGENTS = 1_000;
const QUICK_AGENTS = 200;
const PARALLEL = 16;
const BACK_S = 5;
/** Whoever is not back by then counts as refused for good. */
const TIMEOUT_MS = 60_000;

// F-04: all agents are back soon after a restart.
await runBench(async (bench) => {
  await storm(bench, "from 250 addresses", ["--spread"]);
  await storm(bench, "from one address, as behind a NAT", []);
  bench.note(
    "The backend is killed with SIGKILL and started again at once; agents run the real connection " +
      "loop with its back-off. The start of the backend is part of the time.",
  );
});

async function storm(bench: Bench, from: string, flags: readonly string[]): Promise<void> {
  await using backend = await BenchBackend.start();
  await using swarm = await Program.script<SwarmHandlers>("swarm.ts", flags);
  const login = await backend.createLogin("bench-storm");
  const count = bench.options.isQuick ? QUICK_AGENTS : AGENTS;
  const target = { server: backend.agentUrl, fingerprint: backend.fingerprint, ...login };
  await swarm.ask("add", { ...target, from: 0, count, parallel: PARALLEL });
  const cutMs = sharedNowMs();
  await backend.crashAndRestart();
  const startedMs = sharedNowMs();
  const goal = { online: count, timeoutMs: TIMEOUT_MS };
  const back = await swarm.ask("until", goal);
  const lastS = (back.onlineChangedMs - cutMs) / 1_000;
  const { clients_connected } = await backend.api("getStatus");
  if (back.isReached && clients_connected !== count) {
    throw new Error(`the backend counts ${clients_connected} of ${count} agents`);
  }
  bench.row({
    what: `${number(count)} agents cut at once, ${from}: last one back after`,
    figure: back.isReached ? `${number(lastS)} s` : `${count - back.online} never came back`,
    against: `of this, ${number((startedMs - cutMs) / 1_000)} s until the backend listened; ${attempts(back)}`,
    checks: [atMost(back.isReached ? lastS : Number.POSITIVE_INFINITY, BACK_S, "s")],
  });
}

function attempts({ failures }: SwarmState): string {
  const entries = Object.entries(failures);
  if (entries.length === 0) return "no attempt failed";
  const list = entries.map(([why, count]) => `${number(count)} ${why.replaceAll("|", "/")}`);
  return `failed attempts: ${list.join(", ")}`;
}
