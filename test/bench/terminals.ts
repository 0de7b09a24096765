import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDirectory } from "../support/tempDirectory.ts";
import { BenchAgent, builtRuntimes } from "./agents.ts";
import { BenchBackend } from "./backend.ts";
import { roundTrips } from "./during.ts";
import { type Bench, median, pause, quantile, runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atLeast, atMost, number } from "./report.ts";
import { SHELL, type TerminalHandlers } from "./terminalWork.ts";

/** What each figure takes, and how often everything is measured. */
const FULL = { keys: 100, openings: 5, fileBytes: 50e6, windowMs: 1_000, rounds: 5 };
const QUICK = { keys: 30, openings: 2, fileBytes: 10e6, windowMs: 300, rounds: 1 };
const ECHO_MS = 3;
const CAT_MBS = 20;
const OPENING_MS = 150;
const INTERRUPT_MS = 200;
/** A tunnel beside a terminal that is busy. */
const BUSY_P50_MS = 0.6;
const BUSY_P99_MS = 5;
const LOCAL = "a local terminal";
const LINE =
  "a line of a file that somebody looks at, as long as most lines of most files are: so long\n";

/** A terminal under measurement. */
interface Subject {
  readonly name: string;
  readonly program: Program<TerminalHandlers>;
  /** Of a tunnel of its agent to an echo; undefined: it has none. */
  readonly tunnelPort: number | undefined;
  readonly rounds: Figures[];
}

/** What one round has measured. */
interface Figures {
  readonly openingMs: number;
  readonly echoMs: number;
  readonly catMBs: number;
  readonly stopMs: number;
  readonly idleMs: readonly number[];
  readonly busyMs: readonly number[];
}

type Size = typeof FULL;

// F-31: terminals are there at once, echo as a local one does, and are in nobody's way.
await runBench(async (bench) => {
  const size = bench.options.isQuick ? QUICK : FULL;
  const directory = bench.scope.use(await tempDirectory());
  const file = join(directory.path, "file");
  await writeFile(file, LINE.repeat(size.fileBytes / LINE.length));
  const local = await localSubject(bench);
  const hosts = await hostSubjects(bench);
  const all = [local, ...hosts];
  for (const subject of all) await measure(subject, { size: QUICK, file });
  for (let round = 0; round < size.rounds; round += 1) {
    // Each second round goes backwards, so that a machine that slows down favours nobody.
    for (const subject of round % 2 === 0 ? all : all.toReversed()) {
      subject.rounds.push(await measure(subject, { size, file }));
    }
  }
  describeLocal(bench, local);
  for (const host of hosts) describe(bench, host, local);
  bench.note(
    "A terminal on a host ends in the extension's own code, which draws nothing here; the local one in " +
      "a few lines of Node. Their shell is the same.",
  );
});

async function localSubject({ scope }: Bench): Promise<Subject> {
  const program = scope.use(await Program.script<TerminalHandlers>("localTerminal.ts"));
  return { name: LOCAL, program, tunnelPort: undefined, rounds: [] };
}

async function hostSubjects({ scope, note }: Bench): Promise<Subject[]> {
  const runtimes = builtRuntimes();
  if (runtimes.length < 2) note("Without `dist/agent`, some rows are missing: npm run package.");
  const backend = scope.use(await BenchBackend.start());
  const target = Number(scope.use(await Program.script("targetServer.ts")).ready);
  const login = await backend.createLogin("bench-terminals");
  const terminal = { enabled: true, shell: SHELL };
  const subjects: Subject[] = [];
  for (const [index, runtime] of runtimes.entries()) {
    const clientId = `terminal-agent-${index}`;
    scope.use(await BenchAgent.start(runtime, backend, { login, clientId, terminal }));
    const args = [backend.url, backend.token, clientId];
    const program = scope.use(await Program.script<TerminalHandlers>("terminalEditor.ts", args));
    const tunnelPort = await backend.openTunnel(clientId, target);
    subjects.push({ name: `agent on ${runtime.name}`, program, tunnelPort, rounds: [] });
  }
  return subjects;
}

async function measure(
  { program, tunnelPort }: Subject,
  { size, file }: { readonly size: Size; readonly file: string },
): Promise<Figures> {
  const openings: number[] = [];
  for (let count = 1; count < size.openings; count += 1) {
    openings.push(await program.ask("open"));
    await program.ask("close");
  }
  openings.push(await program.ask("open"));
  const echoes = await program.ask("echo", { keys: size.keys });
  const catMBs = await program.ask("cat", { file });
  const idleMs = await tripsOf(tunnelPort, size);
  await program.ask("flood");
  const busyMs = await tripsOf(tunnelPort, size);
  const stopMs = await program.ask("stop");
  await program.ask("close");
  const [openingMs, echoMs] = [median(openings), median(echoes)];
  return { openingMs, echoMs, catMBs, stopMs, idleMs, busyMs };
}

async function tripsOf(port: number | undefined, { windowMs }: Size): Promise<number[]> {
  return port === undefined ? [] : await roundTrips(port, pause(windowMs));
}

function middle({ rounds }: Subject, figure: (figures: Figures) => number): number {
  return median(rounds.map(figure));
}

function describeLocal({ row }: Bench, local: Subject): void {
  const openingMs = number(middle(local, (figures) => figures.openingMs));
  const echoMs = number(middle(local, (figures) => figures.echoMs));
  const catMBs = number(middle(local, (figures) => figures.catMBs));
  row({
    what: `${LOCAL}: first prompt / echo of a key / a file`,
    figure: `${openingMs} ms / ${echoMs} ms / ${catMBs} MB/s`,
  });
}

function describe({ row }: Bench, host: Subject, local: Subject): void {
  const { name } = host;
  /** Of each round, and then the middle: both sides had the same machine. */
  const beyond = (figure: (figures: Figures) => number) =>
    median(
      host.rounds.map((figures, round) => {
        const other = local.rounds[round];
        return other === undefined ? Number.NaN : figure(figures) - figure(other);
      }),
    );
  const openingMs = middle(host, (figures) => figures.openingMs);
  row({
    what: `${name}: from the command to the first prompt`,
    figure: `${number(openingMs)} ms`,
    against: `${number(beyond((figures) => figures.openingMs))} ms above ${LOCAL}`,
    checks: [atMost(openingMs, OPENING_MS, "ms")],
  });
  const aboveMs = beyond((figures) => figures.echoMs);
  row({
    what: `${name}: from a key to its echo, p50`,
    figure: `${number(middle(host, (figures) => figures.echoMs))} ms`,
    against: `${number(aboveMs)} ms above ${LOCAL}`,
    checks: [atMost(aboveMs, ECHO_MS, `ms above ${LOCAL}`)],
  });
  const catMBs = middle(host, (figures) => figures.catMBs);
  const localMBs = middle(local, (figures) => figures.catMBs);
  row({
    what: `${name}: \`cat\` of a file`,
    figure: `${number(catMBs)} MB/s`,
    against: `${number(catMBs / localMBs)} x ${LOCAL} (${number(localMBs)})`,
    checks: [atLeast(catMBs, CAT_MBS, "MB/s")],
  });
  const stopMs = middle(host, (figures) => figures.stopMs);
  row({
    what: `${name}: from Ctrl+C to the prompt, of a program that writes without end`,
    figure: `${number(stopMs)} ms`,
    against: `${number(beyond((figures) => figures.stopMs))} ms above ${LOCAL}`,
    checks: [atMost(stopMs, INTERRUPT_MS, "ms")],
  });
  describeTunnel(row, host);
}

function describeTunnel(row: Bench["row"], { name, rounds }: Subject): void {
  const busy = rounds.flatMap(({ busyMs }) => busyMs);
  const idle = rounds.flatMap(({ idleMs }) => idleMs);
  const [p50, p99] = [quantile(busy, 0.5), quantile(busy, 0.99)];
  row({
    what: `${name}: round trip of a tunnel p50 / p99, beside such a program`,
    figure: `${number(p50)} / ${number(p99)} ms`,
    against: `idle ${number(quantile(idle, 0.5))} / ${number(quantile(idle, 0.99))} ms`,
    checks: [atMost(p50, BUSY_P50_MS, "ms (p50)"), atMost(p99, BUSY_P99_MS, "ms (p99)")],
  });
}
