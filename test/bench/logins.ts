import { BenchBackend } from "./backend.ts";
import { readEvents } from "./eventReader.ts";
import { type Bench, median, pause, runBench } from "./harness.ts";
import type { ProbeHandlers, Usage } from "./probeHandlers.ts";
import { Program } from "./program.ts";
import { atLeast, atMost, number } from "./report.ts";
import type { SwarmHandlers, SwarmTarget } from "./swarm.ts";

/** How many agents are there already while further ones are measured. */
const LEVELS = [100, 1_000, 5_000] as const;
const QUICK_LEVELS = [100, 500] as const;
const MEASURED = 300;
const PARALLEL = 16;
/** What is written behind and told to onlookers belongs to a login, too. */
const SETTLE_MS = 600;
const PER_CPU_SECOND = 500;
const FLAT_SHARE = 0.8;
const WIRE_TIMES = 1.5;

/** Measured agents come for the first time: none of their numbers is used twice. */
const numbers = { next: 500_000 };

/** A server whose logins are measured. */
interface Subject {
  readonly target: SwarmTarget;
  usage(): Promise<Usage>;
}

// F-03: agents sign in fast, however many are there already.
await runBench(async (bench) => {
  const { scope, options } = bench;
  const backend = scope.use(await BenchBackend.start());
  const login = await backend.createLogin("bench-logins");
  const target = { server: backend.agentUrl, fingerprint: backend.fingerprint, ...login };
  const real: Subject = { target, usage: () => backend.usage() };
  scope.use(await readEvents(backend));
  const bare = await bareSubject(bench);
  const crowd = scope.use(await Program.script<SwarmHandlers>("swarm.ts"));
  const further = scope.use(await Program.script<SwarmHandlers>("swarm.ts"));

  // Once for the compilers: a server that has just started is slower than it will be.
  for (const subject of [bare, real, real]) await measure(subject, further);
  const rates: number[] = [];
  const wire: number[] = [];
  let present = 0;
  for (const level of options.isQuick ? QUICK_LEVELS : LEVELS) {
    const count = level - present;
    await crowd.ask("add", { ...target, from: present, count, parallel: PARALLEL });
    present = level;
    await pause(SETTLE_MS);
    rates.push(await measure(real, further));
    wire.push(await measure(bare, further));
    describeLevel(bench, level, rates);
  }
  const ratio = median(wire.map((rate, at) => rate / (rates[at] ?? Number.NaN)));
  bench.row({
    what: "cost of a login, everything real in place",
    figure: `${number(ratio)} x the bare wire`,
    against: `bare wire server: ${number(median(wire))} logins per CPU-second`,
    checks: [atMost(ratio, WIRE_TIMES, "x the bare wire")],
  });
  bench.note(
    "A login is everything from the TCP connection to the answer to `new_connection` (4 kB), with " +
      "its record on disk and one editor looking on; CPU of all threads of the backend. The bare " +
      "wire server has the same wire code, lets everybody in and remembers nothing.",
  );
});

async function bareSubject({ scope }: Bench): Promise<Subject> {
  const program = scope.use(await Program.script<ProbeHandlers>("bareServer.ts"));
  const place = program.ready as Pick<SwarmTarget, "server" | "fingerprint">;
  const target = { ...place, authId: "anybody", secret: "anything-at-all" };
  return { target, usage: () => program.ask("usage") };
}

/** Logins per CPU-second of agents that come for the first time, and go again. */
async function measure(subject: Subject, swarm: Program<SwarmHandlers>): Promise<number> {
  const before = await subject.usage();
  const order = { from: numbers.next, count: MEASURED, parallel: PARALLEL };
  numbers.next += MEASURED;
  await swarm.ask("add", { ...subject.target, ...order });
  await pause(SETTLE_MS);
  const { cpuMs } = await subject.usage();
  await swarm.ask("stop");
  await pause(SETTLE_MS);
  return MEASURED / ((cpuMs - before.cpuMs) / 1_000);
}

function describeLevel({ row }: Bench, level: number, rates: readonly number[]): void {
  const [first = Number.NaN] = rates;
  const rate = rates.at(-1) ?? Number.NaN;
  const share = rate / first;
  const isFirst = rates.length === 1;
  row({
    what: `logins with ${number(level)} agents present`,
    figure: `${number(rate)} per CPU-second`,
    against: isFirst ? "" : `${number(share)} x the rate with ${LEVELS[0]}`,
    checks: [
      atLeast(rate, PER_CPU_SECOND, "per CPU-second"),
      ...(isFirst ? [] : [atLeast(share, FLAT_SHARE, `x the rate with ${LEVELS[0]}`)]),
    ],
  });
}
