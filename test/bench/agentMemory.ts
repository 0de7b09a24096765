import { type AgentMemory, type AgentRuntime, BenchAgent, builtRuntimes } from "./agents.ts";
import { BenchBackend } from "./backend.ts";
import { type Bench, pause, runBench } from "./harness.ts";
import { moveBulk } from "./load.ts";
import { Program } from "./program.ts";
import { atMost, type Check, number } from "./report.ts";

/** Connected for so long without anything to do. */
const IDLE_MS = 20_000;
const QUICK_IDLE_MS = 3_000;
/** Bulk each way, in one connection each. */
const BULK_BYTES = 200e6;
/** From the end of the bulk until memory should be given back. */
const REST_MS = 60_000;
const IDLE_LIMITS = { resident: 54, anonymous: 10 };
const RESTED_LIMITS = { resident: 75, anonymous: 25 };

type Limits = typeof IDLE_LIMITS;

/** One agent under measurement. */
interface Subject {
  readonly name: string;
  readonly agent: BenchAgent;
}

await runBench(async (bench) => {
  const { scope, options, note } = bench;
  const runtimes = builtRuntimes();
  if (runtimes.length < 2) note("Without `dist/agent`, some rows are missing: npm run package.");
  const backend = scope.use(await BenchBackend.start());
  const target = Number(scope.use(await Program.script("targetServer.ts")).ready);
  const subjects = await startAll(bench, backend, runtimes);
  await pause(options.isQuick ? QUICK_IDLE_MS : IDLE_MS);
  const seconds = number((options.isQuick ? QUICK_IDLE_MS : IDLE_MS) / 1_000);
  await describeAll(bench, subjects, { when: `idle for ${seconds} s`, limits: IDLE_LIMITS });
  for (const { agent } of subjects) {
    await moveBulk(await backend.openTunnel(agent.clientId, target), BULK_BYTES);
  }
  await describeAll(bench, subjects, { when: "right after 200 MB each way", limits: undefined });
  if (!options.isLong) {
    note("What is left a minute after the bulk is measured with `npm run bench -- --long`.");
    return;
  }
  await pause(REST_MS);
  await describeAll(bench, subjects, { when: "a minute after that", limits: RESTED_LIMITS });
});

async function startAll(
  { scope }: Bench,
  backend: BenchBackend,
  runtimes: readonly AgentRuntime[],
): Promise<Subject[]> {
  const login = await backend.createLogin("bench-agents");
  const subjects: Subject[] = [];
  for (const [index, runtime] of runtimes.entries()) {
    const who = { login, clientId: `memory-agent-${index}` };
    const agent = scope.use(await BenchAgent.start(runtime, backend, who));
    subjects.push({ name: runtime.name, agent });
  }
  return subjects;
}

async function describeAll(
  { row }: Bench,
  subjects: readonly Subject[],
  { when, limits }: { readonly when: string; readonly limits: Limits | undefined },
): Promise<void> {
  for (const { name, agent } of subjects) {
    const memory = await agent.memory();
    const [resident, anonymous] = [memory.residentBytes / 1e6, memory.anonymousBytes / 1e6];
    row({
      what: `${name}, ${when}: resident / anonymous`,
      figure: `${number(resident)} / ${number(anonymous)} MB`,
      checks: checksOf(memory, limits),
    });
  }
}

function checksOf({ residentBytes, anonymousBytes }: AgentMemory, limits?: Limits): Check[] {
  if (limits === undefined) return [];
  return [
    atMost(residentBytes / 1e6, limits.resident, "MB resident"),
    atMost(anonymousBytes / 1e6, limits.anonymous, "MB anonymous"),
  ];
}
