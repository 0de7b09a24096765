import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { linuxCommand } from "@rport/protocol/commands";
import type { EventMessage } from "@rport/protocol/events";
import { EventStream } from "../support/backend/eventStream.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { builtRuntimes, EXECUTABLE } from "./agents.ts";
import { BenchBackend } from "./backend.ts";
import { sharedNowMs } from "./childPort.ts";
import { median, runBench } from "./harness.ts";
import { atMost, number } from "./report.ts";

const ROUNDS = 3;
const LIMIT_S = 5;
/** Longest wait for the installer to end. */
const INSTALL_MS = 60_000;

/** When things happened after the line was pasted, in seconds. */
interface Pasted {
  readonly onlineS: number;
  readonly doneS: number;
}

await runBench(async (bench) => {
  const { scope, row, note } = bench;
  if (builtRuntimes().length === 0) {
    note("Not measured: there is no `dist/agent` for the installer to fetch (npm run package).");
    return;
  }
  const backend = scope.use(await BenchBackend.start());
  for (const runtime of ["bun", "node"] as const) {
    if (runtime === "bun" && !builtRuntimes().includes(EXECUTABLE)) continue;
    const rounds: Pasted[] = [];
    const count = bench.options.isQuick ? 1 : ROUNDS;
    for (let n = 0; n < count; n += 1) rounds.push(await paste(backend, runtime));
    const onlineS = median(rounds.map((each) => each.onlineS));
    row({
      what: `from pasting the line to the host in the tree, agent: ${runtime}`,
      figure: `${number(onlineS)} s`,
      against: `installer done after ${number(median(rounds.map(({ doneS }) => doneS)))} s`,
      checks: [atMost(onlineS, LIMIT_S, "s")],
    });
  }
});

async function paste(backend: BenchBackend, runtime: string): Promise<Pasted> {
  await using directory = await tempDirectory();
  const prefix = join(directory.path, "agent");
  const [credential] = await backend.api("listCredentials");
  const pairing = await backend.api("createPairing", {
    body: { credential_id: credential?.id ?? "" },
  });
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
  const online = events.until(connectedClient).then(() => sharedNowMs());
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
