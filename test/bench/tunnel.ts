import { BenchAgent, builtRuntimes, EXECUTABLE, SOURCES } from "./agents.ts";
import { BenchBackend } from "./backend.ts";
import { type Bench, median, runBench } from "./harness.ts";
import { type LoadFigures, measureLoad } from "./load.ts";
import { Program } from "./program.ts";
import { atLeast, atMost, type Check, number } from "./report.ts";

/** What each figure takes, and how often everything is measured. */
const FULL = { windowMs: 600, rounds: 3 };
const QUICK = { windowMs: 250, rounds: 1 };
/** One stream, against two plain relays. */
const STREAM_SHARE = 0.55;
const OPENS_SHARE = 0.8;
const BUSY_MS = 1;
const BUSY_TIMES = 5;
const RELAYS = "two plain relays";

/** A way from a port of this machine to the target. */
interface Way {
  readonly name: string;
  readonly port: number;
  readonly rounds: LoadFigures[];
}

// F-10: tunnels are fast, fair to each other, and opened fast.
await runBench(async (bench) => {
  const target = portOf(bench.scope.use(await Program.script("targetServer.ts")));
  const relays = await relayWay(bench, target);
  const ways = [relays, ...(await tunnelWays(bench, target))];
  const { windowMs, rounds } = bench.options.isQuick ? QUICK : FULL;
  for (const { port } of ways) await measureLoad(port, QUICK.windowMs / 2);
  for (let round = 0; round < rounds; round += 1) {
    // Each second round goes backwards, so that a machine that slows down favours nobody.
    const order = round % 2 === 0 ? ways : ways.toReversed();
    for (const way of order) way.rounds.push(await measureLoad(way.port, windowMs));
  }
  const reference = summarize(relays);
  describeReference(bench, reference);
  for (const way of ways.slice(1)) describe(bench, way.name, { own: summarize(way), reference });
  bench.note(
    "All tunnels here travel in SSH channels. The targets for one stream and for the round trip " +
      "are made for direct data connections; what is missed here is what those have to bring.",
  );
});

async function relayWay({ scope }: Bench, target: number): Promise<Way> {
  const far = scope.use(await Program.script("plainRelay.ts", [String(target)]));
  const near = scope.use(await Program.script("plainRelay.ts", [String(portOf(far))]));
  return { name: RELAYS, port: portOf(near), rounds: [] };
}

async function tunnelWays({ scope, note }: Bench, target: number): Promise<Way[]> {
  const backend = scope.use(await BenchBackend.start());
  const login = await backend.createLogin("bench-tunnels");
  const executable = builtRuntimes().filter((runtime) => runtime === EXECUTABLE);
  if (executable.length === 0) note("The Bun executable is not built: no rows for it.");
  const ways: Way[] = [];
  for (const [index, runtime] of [SOURCES, ...executable].entries()) {
    const clientId = `tunnel-agent-${index}`;
    scope.use(await BenchAgent.start(runtime, backend, { login, clientId }));
    const port = await backend.openTunnel(clientId, target);
    ways.push({ name: `server tunnel, agent on ${runtime.name}`, port, rounds: [] });
  }
  const args = [backend.url, backend.token, "tunnel-agent-0", String(target)];
  const forwarder = scope.use(await Program.script("editorForwarder.ts", args));
  ways.push({
    name: `editor tunnel, agent on ${SOURCES.name}`,
    port: portOf(forwarder),
    rounds: [],
  });
  return ways;
}

function portOf({ ready }: { readonly ready: unknown }): number {
  return Number(ready);
}

function summarize({ rounds }: Way): LoadFigures {
  const middle = (key: keyof LoadFigures) => median(rounds.map((figures) => figures[key]));
  return {
    downMBs: middle("downMBs"),
    upMBs: middle("upMBs"),
    down4MBs: middle("down4MBs"),
    opensPerS: middle("opensPerS"),
    smallPerS: middle("smallPerS"),
    rttP50Ms: middle("rttP50Ms"),
    rttP99Ms: middle("rttP99Ms"),
    busyP50Ms: middle("busyP50Ms"),
    busyP99Ms: middle("busyP99Ms"),
  };
}

function describeReference({ row }: Bench, own: LoadFigures): void {
  const bulk = [own.downMBs, own.upMBs, own.down4MBs].map((value) => number(value)).join(" / ");
  row({ what: `${RELAYS}: down / up / 4 x down`, figure: `${bulk} MB/s` });
  const { opensPerS, smallPerS } = own;
  row({
    what: `${RELAYS}: opens / small round trips`,
    figure: `${number(opensPerS)} / ${number(smallPerS)} per s`,
  });
  row({ what: `${RELAYS}: round trip p50 / p99, idle`, figure: idleOf(own) });
  row({ what: `${RELAYS}: round trip p50 / p99, beside a bulk stream`, figure: busyOf(own) });
}

function describe(
  { row }: Bench,
  name: string,
  { own, reference }: { readonly own: LoadFigures; readonly reference: LoadFigures },
): void {
  type Comparison = readonly [what: string, unit: string, share?: number];
  const compare = (key: keyof LoadFigures, ...[what, unit, share]: Comparison) => {
    const ratio = own[key] / reference[key];
    const checks: Check[] = share === undefined ? [] : [atLeast(ratio, share, "x the relays")];
    const against = `${number(ratio)} x the relays (${number(reference[key])})`;
    row({ what: `${name}: ${what}`, figure: `${number(own[key])} ${unit}`, against, checks });
  };
  compare("downMBs", "one stream down", "MB/s", STREAM_SHARE);
  compare("upMBs", "one stream up", "MB/s", STREAM_SHARE);
  compare("down4MBs", "4 streams down", "MB/s");
  compare("opensPerS", "opens", "per s", OPENS_SHARE);
  compare("smallPerS", "small round trips, 16 connections", "per s");
  row({
    what: `${name}: round trip p50 / p99, idle`,
    figure: idleOf(own),
    against: `${number(own.rttP50Ms / reference.rttP50Ms)} x the relays`,
  });
  const times = own.busyP50Ms / own.rttP50Ms;
  row({
    what: `${name}: round trip p50 / p99, beside a bulk stream`,
    figure: busyOf(own),
    against: `${number(times)} x idle; relays ${busyOf(reference)}`,
    checks: [atMost(own.busyP50Ms, BUSY_MS, "ms (p50)"), atMost(times, BUSY_TIMES, "x idle")],
  });
}

function idleOf({ rttP50Ms, rttP99Ms }: LoadFigures): string {
  return `${number(rttP50Ms)} / ${number(rttP99Ms)} ms`;
}

function busyOf({ busyP50Ms, busyP99Ms }: LoadFigures): string {
  return `${number(busyP50Ms)} / ${number(busyP99Ms)} ms`;
}
