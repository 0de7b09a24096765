import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchMessage } from "./harness.ts";
import { type Circumstances, number, type Row, type Section, summaryOf, toText } from "./report.ts";
import { type Measured, resultsText } from "./results.ts";

/** Every bench by its file, in the order of the report. */
const BENCHES = {
  tunnel: "Tunnels",
  memory: "Memory of the backend per idle agent",
  logins: "Logins",
  secrets: "Many secrets",
  signIns: "People who sign in",
  storm: "Reconnect storm",
  editors: "Many editors at once",
  deletion: "Deleting a credential",
  rotation: "Rotating a credential",
  flood: "A stolen credential",
  thieves: "Impolite thieves",
  pairing: "From pasting to online",
  terminals: "Terminals on hosts",
  agentMemory: "Memory of the agent",
  tree: "Model of the extension",
  activation: "Start of the extension",
} as const;
type BenchName = keyof typeof BENCHES;

/** Longest time of one bench; `--long` ones wait a minute more. */
const BENCH_MS = 240_000;
/** Between the polite end of a bench and the other one. */
const STOP_MS = 5_000;
const RESULTS = fileURLToPath(new URL("results.md", import.meta.url));
const USAGE = `npm run bench -- [--quick] [--long] [${Object.keys(BENCHES).join(" | ")}]...`;

const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith("--"));
const names = args.filter((arg) => !arg.startsWith("--"));
const isUsable =
  names.every((name) => name in BENCHES) &&
  flags.every((flag) => flag === "--quick" || flag === "--long");

/** The benches that run now. */
const running = new Set<ChildProcess>();
const temporary = mkdtempSync(join(os.tmpdir(), "rport-bench-"));
process.once("exit", () => {
  for (const child of running) killGroup(child, "SIGKILL");
  rmSync(temporary, { recursive: true, force: true });
});

if (isUsable) process.exitCode = await runAll();
else {
  console.error(USAGE);
  process.exitCode = 2;
}

async function runAll(): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => stop.abort());
  }
  const wanted = names.length > 0 ? names : Object.keys(BENCHES);
  const measured: Measured[] = [];
  for (const name of wanted) {
    if (stop.signal.aborted) return 1;
    const at = describeMachine();
    const section = await runOne(name as BenchName, stop.signal);
    measured.push({ section, at });
    console.log(`${toText(section)}\n`);
  }
  const sections = measured.map(({ section }) => section);
  console.log(summaryOf(sections));
  // a quick run is no measurement
  if (!flags.includes("--quick") && !stop.signal.aborted) write(measured);
  return sections.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

function write(measured: readonly Measured[]): void {
  const before = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "";
  writeFileSync(RESULTS, resultsText(before, measured, Object.values(BENCHES)));
  console.log(`Written to ${RESULTS}`);
}

/** Each in its own process group, so that nothing of it outlives it, however it ends. */
async function runOne(name: BenchName, signal: AbortSignal): Promise<Section> {
  const startMs = performance.now();
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...flags], {
    stdio: ["ignore", "inherit", "pipe", "ipc"],
    detached: true,
    env: { ...process.env, TMPDIR: temporary },
  });
  running.add(child);
  const told = collect(child);
  const stop = () => killGroup(child, "SIGTERM");
  const timers = [
    setTimeout(stop, BENCH_MS),
    setTimeout(() => killGroup(child, "SIGKILL"), BENCH_MS + STOP_MS),
  ];
  signal.addEventListener("abort", stop, { once: true });
  const failure = await endOf(child);
  signal.removeEventListener("abort", stop);
  for (const timer of timers) clearTimeout(timer);
  killGroup(child, "SIGKILL");
  running.delete(child);
  const { rows, notes } = told;
  const section = { title: BENCHES[name], rows, notes, seconds: secondsSince(startMs) };
  if (failure === undefined) return section;
  console.error(told.errors);
  const [line = ""] = told.errors.split("\n").filter((text) => /error/i.test(text));
  return { ...section, failure: line.trim() || failure };
}

function collect(child: ChildProcess) {
  const told = { rows: [] as Row[], notes: [] as string[], errors: "" };
  child.on("message", (message: BenchMessage) => {
    if ("row" in message) told.rows.push(message.row);
    else told.notes.push(message.note);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    told.errors += text;
  });
  return told;
}

/** Undefined when it went well. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => {
      resolve(code === 0 ? undefined : `ended with ${code ?? signal}`);
    });
  });
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

function describeMachine(): Circumstances {
  const processors = os.cpus();
  return {
    date: `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    processor: processors[0]?.model.trim() ?? "unknown processor",
    cores: processors.length,
    memoryGb: Math.round(os.totalmem() / 1e9),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    load: os.loadavg()[0] ?? Number.NaN,
  };
}

function secondsSince(startMs: number): number {
  return Number(number((performance.now() - startMs) / 1_000).replace(",", ""));
}
