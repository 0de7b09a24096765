import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchBackend } from "./backend.ts";
import { peakMemory, roundTrips } from "./during.ts";
import { startFleet } from "./fleet.ts";
import { type Bench, median, pause, quantile, runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atLeast, atMost, number } from "./report.ts";
import type { Loot, Theft, ThiefHandlers } from "./thief.ts";

const FOR_MS = 20_000;
const QUICK_FOR_MS = 5_000;
/** Buffers of the system are full, and nothing moves any more, when the backend needs less than this. */
const STILL_CPU_MS = 25;
const STILL_LOOK_MS = 500;
const STILL_BY_MS = 40_000;
const IDLE_MS = 2_000;
const SETTLE_MS = 1_500;
/** Of each kind of theft, at once. */
const SILENT = { count: 100, bytes: 15 << 20 };
const RECORDS = { count: 50, bytes: 58_000 };
const PINNED = { count: 8, fragments: 900 };
const BODIES = { count: 1_000, bytes: 1_000 };
const DOWNLOADS = 500;
const READERS = 100;
/** What thieves who are kept from nothing try on two cores; with less, the figures say nothing. */
const SILENT_PER_SECOND = 25;
const GROWTH_MB = 256;
const ROUND_TRIP_MS = 50;
const AGENT_FILES = fileURLToPath(new URL("../../dist/agent", import.meta.url));
/** A file that the system's own buffers take whole is no burden. */
const LARGE_BYTES = 16 << 20;

// F-09, S-01: one stolen secret, strangers and stopped readers, all at once and without manners.
await runBench(async (bench) => {
  const { scope, options } = bench;
  const fleet = await startFleet(bench, ["robbed", "neighbour"]);
  const { backend, place, agents } = fleet;
  const robbed = await fleet.openTunnel("robbed");
  const port = await fleet.openTunnel("neighbour");
  const thief = scope.use(await Program.script<ThiefHandlers>("thief.ts"));
  const path = await largeFile();
  if (path === undefined) bench.note("The agent's executable is not built: nobody downloads it.");
  const { password } = await backend.api("createCredential", { body: { id: "bench-stolen" } });
  const theft: Theft = {
    target: { ...place, authId: "bench-stolen", secret: password },
    forMs: options.isQuick ? QUICK_FOR_MS : FOR_MS,
    silent: SILENT,
    records: RECORDS,
    pinned: PINNED,
    bodies: BODIES,
    downloads: path === undefined ? undefined : { count: DOWNLOADS, path },
    readers: { count: READERS, port: robbed },
  };

  await pause(SETTLE_MS);
  const idle = await roundTrips(port, pause(IDLE_MS));
  const before = await backend.settledUsage();
  await thief.ask("hold", theft);
  await standstill(backend);
  const stealing = thief.ask("steal");
  const [loot, peak, busy] = await Promise.all([
    stealing,
    peakMemory(backend, stealing),
    roundTrips(port, stealing),
  ]);
  await pause(SETTLE_MS);
  const after = await backend.settledUsage();
  const lost = await fleet.lost();

  const megabytes = (bytes: number) => (bytes - before.residentBytes) / (1 << 20);
  const highest = megabytes(peak);
  bench.row({
    what: `resident memory of the backend beyond its rest: highest / afterwards`,
    figure: `${number(highest)} / ${number(megabytes(after.residentBytes))} MB`,
    against: taken(loot, theft.forMs),
    checks: [atMost(highest, GROWTH_MB, "MB")],
  });
  const perSecond = loot.silent / (theft.forMs / 1_000);
  bench.row({
    what: "silent sessions that thieves began",
    figure: `${number(perSecond)} per s`,
    checks: [atLeast(perSecond, SILENT_PER_SECOND, "per s")],
  });
  describeOthers(bench, { idle, busy, lost, agents });
  bench.note(
    "The thieves share the processors with server and agents, at the lowest priority: they get what " +
      "those leave.",
  );
});

/** Resolves when those who read nothing have been served all that the system's buffers take. */
async function standstill(backend: BenchBackend): Promise<void> {
  const endMs = performance.now() + STILL_BY_MS;
  let before = (await backend.usage()).cpuMs;
  while (performance.now() < endMs) {
    await pause(STILL_LOOK_MS);
    const { cpuMs } = await backend.usage();
    if (cpuMs - before < STILL_CPU_MS) return;
    before = cpuMs;
  }
}

function taken(
  { silent, records, pinned, bodies, downloads, readers }: Loot,
  forMs: number,
): string {
  const tried = [
    `${number(silent)} silent sessions of 15 MiB`,
    `${number(records)} records of 58 kB`,
    `${number(pinned)} messages of 900 fragments, one in each read`,
    `${number(bodies)} bodies byte by byte`,
    `${number(downloads)} unread downloads`,
    `${number(readers)} stopped readers`,
  ];
  return `in ${number(forMs / 1_000)} s: ${tried.join(", ")}`;
}

function describeOthers(
  { row }: Bench,
  run: {
    readonly idle: readonly number[];
    readonly busy: readonly number[];
    readonly lost: number;
    readonly agents: number;
  },
): void {
  const p99 = quantile(run.busy, 0.99);
  row({
    what: `${number(run.agents)} agents connected: round trip to one meanwhile, p50 / p99`,
    figure: `${number(median(run.busy))} / ${number(p99)} ms`,
    against: `before: ${number(median(run.idle))} / ${number(quantile(run.idle, 0.99))} ms`,
    checks: [atMost(p99, ROUND_TRIP_MS, "ms (p99)")],
  });
  row({
    what: "agents lost",
    figure: number(run.lost),
    checks: [atMost(run.lost, 0, "agents lost")],
  });
}

/** Where the largest of the agent's files is served; undefined when there is no large one. */
async function largeFile(): Promise<string | undefined> {
  const text = await readFile(join(AGENT_FILES, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { version, files }: Manifest = JSON.parse(text);
  const [largest] = files.toSorted((one, other) => other.size - one.size);
  if (largest === undefined || largest.size < LARGE_BYTES) return undefined;
  return `/agent/${version}/${largest.name}`;
}

interface Manifest {
  readonly version: string;
  readonly files: readonly { readonly name: string; readonly size: number }[];
}
