import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { linuxCommand } from "@rport/protocol/commands";
import type { EventMessage } from "@rport/protocol/events";
import { API_PREFIX } from "@rport/protocol/http";
import { pairingTokenSchema } from "@rport/protocol/pairing";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { claimProof, type TokenParts, tokenParts } from "@rport/protocol/sealing";
import { EventStream } from "../support/backend/eventStream.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { builtRuntimes, EXECUTABLE } from "./agents.ts";
import { BenchBackend } from "./backend.ts";
import { sharedNowMs } from "./childPort.ts";
import { type Bench, median, type NewRow, quantile, runBench } from "./harness.ts";
import { atMost, number } from "./report.ts";

const ROUNDS = 3;
const LIMIT_S = 5;
/** Over a link of 10 Mbit/s, with the executable to be fetched. */
const SLOW_LIMIT_S = 60;
const CLAIMS = 50;
const QUICK_ROUNDS_OF_CLAIMS = 4;
const ROUNDS_OF_CLAIMS = 20;
/** Before a backend that has just started has its claims compiled. */
const COLD_ROUNDS_OF_CLAIMS = 20;
const CLAIM_MS = 20;
/** Hosts come over connections of their own; here they stay, so that the work is measured. */
const CONNECTIONS = new Agent({ keepAlive: true, maxSockets: CLAIMS });
const DEPOSITS = 1_000;
const DEPOSITS_MB = 10;
const SCRIPT_BYTES = 20_000;
const DOWNLOAD_MB = 40;
/** Longest wait for the installer to end. */
const INSTALL_MS = 120_000;
const RUNTIMES = ["bun", "node"] as const;
const AGENT_FILES = fileURLToPath(new URL("../../dist/agent", import.meta.url));
const EXECUTABLE_FILE = "rport-agent-linux-x64";

/** When things happened after the line was pasted, in seconds. */
interface Pasted {
  readonly onlineS: number;
  readonly doneS: number;
}

/** Where this program runs itself again, behind a link that is slow. */
const SLOW_LINK = "--slow-link";
const LINK_MBIT = 10;
/** Within a network of its own, in which everything goes through one slow loopback. */
const SLOW_NETWORK = [
  "ip link set lo mtu 1500 up",
  `tc qdisc add dev lo root tbf rate ${LINK_MBIT}mbit burst 32kb latency 200ms`,
  'exec "$@"',
].join(" && ");

await runBench(async (bench) => {
  const { scope, note } = bench;
  if (builtRuntimes().length === 0) {
    note("Not measured: there is no `dist/agent` for the installer to fetch (npm run package).");
    return;
  }
  const backend = scope.use(await BenchBackend.start());
  if (process.argv.includes(SLOW_LINK)) {
    await pasteOften({ bench, backend }, { runtime: "bun", rounds: 1, limitS: SLOW_LIMIT_S });
    return;
  }
  const rounds = bench.options.isQuick ? 1 : ROUNDS;
  for (const runtime of builtRuntimes().includes(EXECUTABLE) ? RUNTIMES : RUNTIMES.slice(1)) {
    await pasteOften({ bench, backend }, { runtime, rounds, limitS: LIMIT_S });
  }
  sizes(bench);
  await claims(bench, backend);
  await deposits(bench, backend);
  CONNECTIONS.destroy();
  await behindSlowLink(bench);
});

interface Place {
  readonly bench: Bench;
  readonly backend: BenchBackend;
}

interface Pasting {
  readonly runtime: string;
  readonly rounds: number;
  readonly limitS: number;
}

async function pasteOften({ bench, backend }: Place, { runtime, rounds, limitS }: Pasting) {
  const all: Pasted[] = [];
  for (let n = 0; n < rounds; n += 1) all.push(await paste(backend, runtime));
  const onlineS = median(all.map((each) => each.onlineS));
  const link = limitS === SLOW_LIMIT_S ? ` over ${LINK_MBIT} Mbit/s` : "";
  bench.row({
    what: `from pasting the line to the host in the tree${link}, agent: ${runtime}`,
    figure: `${number(onlineS)} s`,
    against: `installer done after ${number(median(all.map(({ doneS }) => doneS)))} s`,
    checks: [atMost(onlineS, limitS, "s")],
  });
}

/** What goes over the line to a host. */
function sizes({ row }: Bench): void {
  const script = statSync(join(AGENT_FILES, "rport-installer.sh")).size;
  row({
    what: "the installer script",
    figure: `${number(script)} bytes`,
    checks: [atMost(script, SCRIPT_BYTES, "bytes")],
  });
  const packed = readdirSync(AGENT_FILES).filter((name) => name.startsWith(`${EXECUTABLE_FILE}.`));
  const smallest = Math.min(...packed.map((name) => statSync(join(AGENT_FILES, name)).size));
  const whole = statSync(join(AGENT_FILES, EXECUTABLE_FILE)).size;
  row({
    what: "the executable as it is fetched",
    figure: `${number(smallest / 1e6)} MB`,
    against: `${number(whole / 1e6)} MB unpacked`,
    checks: [atMost(smallest / 1e6, DOWNLOAD_MB, "MB")],
  });
}

/**
 * Fifty hosts that claim one pairing at once, and as many requests that only ask for the status. The
 * target is for a backend that has been running: the first claims after a start are a row of their own.
 */
async function claims(bench: Bench, backend: BenchBackend): Promise<void> {
  const { options, row } = bench;
  const cold = await roundsOfClaims(backend, COLD_ROUNDS_OF_CLAIMS);
  row({
    what: `a claim, p99 of ${CLAIMS} at once, the first ${COLD_ROUNDS_OF_CLAIMS} times after a start`,
    figure: `${number(cold.claimMs)} ms`,
    against: `${number(cold.statusMs)} ms for as many requests for the status`,
  });
  const rounds = options.isQuick ? QUICK_ROUNDS_OF_CLAIMS : ROUNDS_OF_CLAIMS;
  const { claimMs, statusMs } = await roundsOfClaims(backend, rounds);
  row({
    what: `a claim, p99 of ${CLAIMS} at once`,
    figure: `${number(claimMs)} ms`,
    against: `${number(statusMs)} ms for as many requests for the status`,
    checks: [atMost(claimMs, CLAIM_MS, "ms")],
  });
}

/** The p99 of both, in milliseconds. */
async function roundsOfClaims(backend: BenchBackend, rounds: number) {
  const claimMs: number[] = [];
  const statusMs: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const { token } = await newPairing(backend, CLAIMS);
    const parts = tokenParts(pairingTokenSchema.parse(token));
    const bodies = Array.from({ length: CLAIMS }, (_, host) => claimBody(parts, host));
    claimMs.push(...(await Promise.all(bodies.map((body) => claimOnce(backend, body)))));
    statusMs.push(...(await Promise.all(bodies.map(() => statusOnce(backend)))));
  }
  return { claimMs: quantile(claimMs, 0.99), statusMs: quantile(statusMs, 0.99) };
}

/** Memory of the whole backend, its records of the secrets among it. */
async function deposits({ row }: Bench, backend: BenchBackend): Promise<void> {
  const before = await backend.settledUsage();
  const open = (await backend.api("listPairings")).filter(({ state }) => state === "active").length;
  for (let n = open; n < DEPOSITS; n += 1) await newPairing(backend, 1);
  const after = await backend.settledUsage();
  const bytes = after.heapBytes + after.externalBytes - before.heapBytes - before.externalBytes;
  const mb = (bytes * DEPOSITS) / (DEPOSITS - open) / 1e6;
  row({
    what: `${number(DEPOSITS)} open pairings, with the records of their secrets`,
    figure: `${number(mb)} MB`,
    checks: [atMost(mb, DEPOSITS_MB, "MB")],
  });
}

/** The same in a network of its own whose loopback is slow; needs root, and says so. */
async function behindSlowLink({ row, note }: Bench): Promise<void> {
  const args = ["--net", "sh", "-c", SLOW_NETWORK, "sh", process.execPath, import.meta.filename];
  const child = spawn("unshare", [...args, SLOW_LINK], { stdio: ["ignore", "pipe", "pipe"] });
  const said = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  const rows = said[0].split("\n").filter((line) => line.startsWith('{"row"'));
  if (rows.length === 0) note(`Not measured over a slow link: ${said[1].trim().slice(0, 300)}`);
  for (const line of rows) row((JSON.parse(line) as { row: NewRow }).row);
}

async function newPairing(backend: BenchBackend, uses: number): Promise<NewPairing> {
  const [credential] = await backend.api("listCredentials");
  const body = { credential_id: credential?.id ?? "", uses };
  return backend.api("createPairing", { body });
}

/** Milliseconds of one request for the status. */
function statusOnce({ url, token }: BenchBackend): Promise<number> {
  return timed(() => ask(`${url}${API_PREFIX}/status`, { Authorization: `Bearer ${token}` }));
}

/** What one more host claims with; made before the time is taken, as each host makes its own. */
function claimBody(parts: TokenParts, host: number): string {
  const claimant = randomBytes(16).toString("base64url");
  const proof = claimProof(parts, claimant);
  const who = { client_id: `bench-${host}-${claimant.slice(0, 6)}`, hostname: `bench-${host}` };
  return JSON.stringify({ id: parts.id, claimant, proof, ...who });
}

/** Milliseconds of one claim. */
function claimOnce({ url }: BenchBackend, body: string): Promise<number> {
  return timed(() => ask(`${url}/pair/v1/claim`, { "Content-Type": "application/json" }, body));
}

/** Asks, with or without a body, and rejects unless the answer is 200. */
function ask(url: string, headers: Record<string, string>, body?: string): Promise<void> {
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: CONNECTIONS, method, headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`answered with ${answer.statusCode}`));
      answer.resume().once("end", resolve);
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function paste(backend: BenchBackend, runtime: string): Promise<Pasted> {
  await using directory = await tempDirectory();
  const prefix = join(directory.path, "agent");
  const pairing = await newPairing(backend, 1);
  const line = linuxCommand({
    url: pairing.server_url,
    id: pairing.pairing.id,
    sha256: pairing.script_sha256,
    token: pairing.token,
    tool: "curl",
    sudo: false,
    flags: ["--prefix", prefix, "--new-id", "--runtime", runtime],
  });
  using events = new EventStream(backend.url, backend.token);
  await events.snapshot();
  await using _removal = { [Symbol.asyncDispose]: () => uninstall(prefix) };
  const startMs = sharedNowMs();
  const installing = runShell(line);
  const online = events.until(connectedClient, INSTALL_MS).then(() => sharedNowMs());
  const { code, output } = await installing;
  const doneMs = sharedNowMs();
  if (code !== 0) {
    online.catch(() => {});
    throw new Error(`the installer ended with ${code}:\n${output}`);
  }
  return { onlineS: ((await online) - startMs) / 1_000, doneS: (doneMs - startMs) / 1_000 };
}

/** A client that is told of as connected after the snapshot. */
function connectedClient(messages: readonly EventMessage[]): true | undefined {
  const isOnline = messages
    .flatMap((message) => (message.type === "delta" ? message.changes : []))
    .some((change) => change.entity === "client" && change.value?.connection_state === "connected");
  return isOnline || undefined;
}

/** Runs a line in `sh`, as somebody who pastes it; `node` is the one that runs the bench. */
async function runShell(line: string): Promise<{ code: unknown; output: string }> {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const child = spawn("sh", ["-c", line], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH },
    timeout: INSTALL_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  // Not `close`: the agent that stays may keep a pipe open.
  const [code, signal] = await once(child, "exit");
  return { code: code ?? signal, output };
}

/** Ends the agent, which has left this process's group, and removes its files. */
async function uninstall(prefix: string): Promise<void> {
  const pidFile = join(prefix, "rport-agent.pid");
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  const program = join(prefix, "bin", "rport-agent");
  if (existsSync(program)) await runShell(`'${program}' uninstall --prefix '${prefix}'`);
  if (pid > 1 && readCommand(pid).includes(prefix)) process.kill(pid, "SIGKILL");
}

function readCommand(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
