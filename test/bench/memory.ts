import { BenchBackend } from "./backend.ts";
import { type Bench, pause, runBench } from "./harness.ts";
import type { Usage } from "./probeHandlers.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";
import type { SwarmHandlers } from "./swarm.ts";

const AGENTS = 1_000;
/** Connected and gone before anything counts, so that code and caches are there already. */
const WARM_AGENTS = 200;
/** On their way at once. */
const PARALLEL = 16;
/** After the last login, until what is written behind is written. */
const SETTLE_MS = 1_500;
const HEAP_KB = 30;
const RESIDENT_KB = 60;
const ROTATION_MS = 30_000;

// F-01: idle agents stay connected, in bounded memory each.
await runBench(async (bench) => {
  const backend = bench.scope.use(await BenchBackend.start());
  const login = await backend.createLogin("bench-memory");
  const target = { server: backend.agentUrl, fingerprint: backend.fingerprint, ...login };
  const warm = bench.scope.use(await Program.script<SwarmHandlers>("swarm.ts"));
  await warm.ask("add", { ...target, from: 900_000, count: WARM_AGENTS, parallel: PARALLEL });
  await warm.ask("stop");
  await warm.kill();
  await pause(SETTLE_MS);
  const before = await backend.settledUsage();

  const swarm = bench.scope.use(await Program.script<SwarmHandlers>("swarm.ts"));
  await swarm.ask("add", { ...target, from: 0, count: AGENTS, parallel: PARALLEL });
  await pause(SETTLE_MS);
  const after = await backend.settledUsage();
  describe(bench, { before, after });

  await backend.api("rotateCredential", {
    params: { authId: login.authId },
    body: { grace_seconds: 3_600 },
  });
  const moved = await swarm.ask("until", { rotated: AGENTS, timeoutMs: ROTATION_MS });
  if (!moved.isReached) throw new Error(`only ${moved.rotated} agents moved`);
  await pause(SETTLE_MS);
  const own = perAgent(before, await backend.settledUsage());
  bench.row({
    what: "the same, each agent with a secret of its own",
    figure: `${number(own.heapKb)} kB heap and buffers, ${number(own.residentKb)} kB resident`,
  });
});

function describe(
  { row }: Bench,
  { before, after }: { readonly before: Usage; readonly after: Usage },
): void {
  const { heapKb, residentKb } = perAgent(before, after);
  row({
    what: "heap and buffers per idle agent, record included",
    figure: `${number(heapKb)} kB`,
    checks: [atMost(heapKb, HEAP_KB, "kB")],
  });
  row({
    what: "resident memory per idle agent",
    figure: `${number(residentKb)} kB`,
    against: `backend without agents ${number(before.residentBytes / 1e6)} MB`,
    checks: [atMost(residentKb, RESIDENT_KB, "kB")],
  });
}

function perAgent(before: Usage, after: Usage): { heapKb: number; residentKb: number } {
  const heap = ({ heapBytes, externalBytes }: Usage) => heapBytes + externalBytes;
  return {
    heapKb: (heap(after) - heap(before)) / AGENTS / 1_000,
    residentKb: (after.residentBytes - before.residentBytes) / AGENTS / 1_000,
  };
}
