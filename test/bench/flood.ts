import { EVENTS_PATH } from "@rport/protocol/http";
import WebSocket from "ws";
import type { BenchBackend } from "./backend.ts";
import { sharedNowMs } from "./childPort.ts";
import { peakMemory, roundTrips } from "./during.ts";
import { startFleet } from "./fleet.ts";
import type { FloodEnds, FlooderHandlers } from "./flooder.ts";
import { type Bench, median, pause, quantile, runBench } from "./harness.ts";
import type { Usage } from "./probeHandlers.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";
import type { SwarmTarget } from "./swarm.ts";

const JOINS = 10_000;
const QUICK_JOINS = 1_000;
const PARALLEL = 32;
const PORTION = 1_000;
/** Tries before anything counts, with a credential of their own: code and caches are there then. */
const WARM_JOINS = 600;
const WARM_FROM = 800_000;
const FROM = 700_000;
const SETTLE_MS = 1_500;
const IDLE_MS = 2_000;
const ROUND_TRIP_MS = 50;
const GROWTH_MB = 64;

// F-05, S-01: whoever floods the server with logins keeps no connected agent waiting.
await runBench(async (bench) => {
  const { scope, options } = bench;
  const fleet = await startFleet(bench, ["real-agent"]);
  const { backend, place, agents } = fleet;
  const port = await fleet.openTunnel("real-agent");
  const flooder = scope.use(await Program.script<FlooderHandlers>("flooder.ts"));
  const events = scope.use(await watch(backend));

  const warm = await stolen(backend, "bench-warm");
  await flood(flooder, { ...place, ...warm }, { from: WARM_FROM, count: WARM_JOINS });
  await flooder.ask("stop");
  await pause(SETTLE_MS);
  const idle = await roundTrips(port, pause(IDLE_MS));
  const before = await backend.settledUsage();
  const thief = await stolen(backend, "bench-stolen");
  const joins = options.isQuick ? QUICK_JOINS : JOINS;
  const startMs = sharedNowMs();
  const flooding = flood(flooder, { ...place, ...thief }, { from: FROM, count: joins });
  const [ends, peak, busy] = await Promise.all([
    flooding,
    peakMemory(backend, flooding),
    roundTrips(port, flooding),
  ]);
  const seconds = (sharedNowMs() - startMs) / 1_000;
  await pause(SETTLE_MS);
  const after = await backend.settledUsage();
  const lost = await fleet.lost();

  describeRoundTrips(bench, { idle, busy, agents, joins, seconds });
  describeMemory(bench, { before, peak, after, ends });
  bench.row({
    what: "the credential is pointed out",
    figure: `${events.marksOf(thief.authId)} time, ${lost} agents lost`,
    checks: [
      atMost(Math.abs(events.marksOf(thief.authId) - 1), 0, "events too many or too few"),
      atMost(lost, 0, "agents lost"),
    ],
  });
  bench.note(
    `The flood comes from 250 addresses, ${PARALLEL} connections on their way at once, each with the ` +
      "right secret and as a host that was never seen; the credential has no limit set. Whoever is " +
      "let in stays connected, and is part of the memory. The flooder runs on the same processors.",
  );
});

/**
 * In portions, so that no answer of the flooder is long in coming. Answers with all ends so far.
 */
async function flood(
  flooder: Program<FlooderHandlers>,
  target: SwarmTarget,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<FloodEnds> {
  let ends: FloodEnds = {};
  for (let done = 0; done < count; done += PORTION) {
    const portion = { from: from + done, count: Math.min(PORTION, count - done) };
    ends = await flooder.ask("flood", { ...target, ...portion, parallel: PARALLEL });
  }
  return ends;
}

/** A credential without any limit that somebody has set. */
async function stolen(backend: BenchBackend, id: string) {
  const { password } = await backend.api("createCredential", { body: { id } });
  return { authId: id, secret: password };
}

function describeRoundTrips(
  { row }: Bench,
  run: {
    readonly idle: readonly number[];
    readonly busy: readonly number[];
    readonly agents: number;
    readonly joins: number;
    readonly seconds: number;
  },
): void {
  const p99 = quantile(run.busy, 0.99);
  row({
    what: `${number(run.joins)} joins with one stolen credential, ${number(run.agents)} agents connected: round trip to an agent, p50 / p99`,
    figure: `${number(median(run.busy))} / ${number(p99)} ms`,
    against: `before: ${number(median(run.idle))} / ${number(quantile(run.idle, 0.99))} ms; the flood took ${number(run.seconds)} s`,
    checks: [atMost(p99, ROUND_TRIP_MS, "ms (p99)")],
  });
}

function describeMemory(
  { row }: Bench,
  run: {
    readonly before: Usage;
    /** Resident bytes. */
    readonly peak: number;
    readonly after: Usage;
    readonly ends: FloodEnds;
  },
): void {
  const { before, after } = run;
  const megabytes = (bytes: number) => bytes / (1 << 20);
  const highest = megabytes(run.peak - before.residentBytes);
  const resident = megabytes(after.residentBytes - before.residentBytes);
  const used = megabytes(usedBytes(after) - usedBytes(before));
  const ends = Object.entries(run.ends).map(([end, count]) => `${number(count)} ${end}`);
  row({
    what: "heap and buffers of the backend afterwards, beyond what they were",
    figure: `${number(used)} MB`,
    against: ends.join(", ").replaceAll("|", "/"),
    checks: [atMost(used, GROWTH_MB, "MB")],
  });
  row({
    what: "resident memory of the backend beyond what it was: highest / afterwards",
    figure: `${number(highest)} / ${number(resident)} MB`,
    checks: [atMost(Math.max(highest, resident), GROWTH_MB, "MB")],
  });
}

function usedBytes({ heapBytes, externalBytes }: Usage): number {
  return heapBytes + externalBytes;
}

/** Looks on, as an editor does, and counts how often a credential becomes flooded. */
async function watch(backend: BenchBackend) {
  const socket = new WebSocket(`${backend.url.replace(/^http/, "ws")}${EVENTS_PATH}`, {
    headers: { Authorization: `Bearer ${backend.token}` },
  });
  const messages: string[] = [];
  socket.on("error", () => {});
  // Read afterwards: taking them apart now would delay the round trips that are measured here.
  socket.on("message", (data) => messages.push(String(data)));
  await new Promise((resolve) => socket.once("message", resolve));
  return {
    marksOf: (authId: string): number => {
      const marks = messages.flatMap((message) => marksIn(message, authId));
      return marks.filter((mark, n) => mark !== null && mark !== (marks[n - 1] ?? null)).length;
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

function marksIn(message: string, authId: string): (string | null)[] {
  if (!message.includes(authId)) return [];
  const { changes = [] } = JSON.parse(message) as {
    changes?: { entity: string; id?: string; value?: { flooded_at: string | null } }[];
  };
  const own = changes.filter(({ entity, id }) => entity === "credential" && id === authId);
  return own.map(({ value }) => value?.flooded_at ?? null);
}
