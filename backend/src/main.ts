#!/usr/bin/env node
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { RportError } from "@rport/protocol/errors";
import { VERSION } from "@rport/protocol/version";
import { auditCommand } from "./audit/command.ts";
import { type Backend, createBackend } from "./backend.ts";
import { type Config, readConfig, type Surroundings } from "./config/config.ts";
import { removeEndpointNow } from "./endpointFile.ts";
import { placesOf } from "./place.ts";
import { systemClock } from "./platform/clock.ts";
import { descriptorLimit } from "./platform/descriptors.ts";
import { createLog, errorText, type Log, stderrSink } from "./platform/log.ts";
import { LogFile } from "./platform/logFile.ts";
import { StartFailure } from "./platform/startFailure.ts";

/** Where `npm run build` puts the agent's files. */
const AGENT_FILES = fileURLToPath(new URL("../../dist/agent", import.meta.url));
/** A stop takes no longer than this; what is on disk is safe at any time. */
const STOP_MS = 2_000;
const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Reads the configuration, runs until a signal comes, and sets the exit code. */
async function main(): Promise<void> {
  const [command, ...rest] = process.argv.slice(2);
  if (command === "audit") {
    await audit(rest);
    return;
  }
  const invocation = readConfig(surroundings(process.argv.slice(2)));
  if (invocation.kind === "print") print([invocation.text]);
  else await run(invocation.config);
}

/** Sets the exit code to what was found. */
async function audit(argv: readonly string[]): Promise<void> {
  const result = await auditCommand(argv, (flags) => {
    const invocation = readConfig(surroundings(flags));
    if (invocation.kind === "print") throw new Error("flags that print are not passed on");
    return invocation.config.dataDir;
  });
  print(result.lines);
  process.exitCode = result.exitCode;
}

function surroundings(argv: readonly string[]): Surroundings {
  const { env: environment, platform } = process;
  return { argv, environment, platform, home: homedir() };
}

async function run(config: Config): Promise<void> {
  const { level, file } = config.logging;
  const logFile = file === undefined ? undefined : new LogFile(file);
  const log = createLog({ clock: systemClock, level, sink: logFile?.sink ?? stderrSink });
  const backend = await createBackend({
    ...config,
    places: placesOf(config),
    agentFiles: AGENT_FILES,
    descriptors: descriptorLimit(),
    clock: systemClock,
    log,
  });
  // also where it ends by what was thrown; only a kill -9 or a power cut leaves the file behind
  process.once("exit", () => removeEndpointNow(backend.paths.endpoint, backend.token));
  stopOnSignal(log, async () => {
    await backend.close();
    await logFile?.close();
  });
  introduce(backend);
  log.info("listening", { url: backend.url, version: VERSION, pid: process.pid });
  process.send?.({ endpointFile: backend.paths.endpoint });
}

/** The first signal stops in order, a second one at once. */
function stopOnSignal(log: Log, close: () => Promise<void>): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info("stopping", { signal });
    const overdue = systemClock.after(STOP_MS, () => process.exit(1));
    close().then(
      () => {
        overdue.cancel();
        process.exitCode = 0;
        if (process.connected) process.disconnect();
      },
      (error: unknown) => {
        log.error("stopping failed", { reason: errorText(error) });
        process.exit(1);
      },
    );
  };
  for (const signal of STOP_SIGNALS) process.on(signal, () => stop(signal));
}

function introduce({ url, fingerprints, paths, status }: Backend): void {
  const agents = status().connect_url.filter((other) => other !== url);
  print([
    `RPort backend ${VERSION} is ready.`,
    `  Address      ${url}`,
    ...agents.map((other) => `  Agents       ${other}`),
    `  Fingerprint  ${fingerprints.sha256}`,
    `               ${fingerprints.md5}`,
    `  Data         ${paths.directory}`,
    "Stop it with Ctrl-C.",
  ]);
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** What is no surprise is told in a sentence; a full disk may stop the start anywhere. */
function toStartFailure(error: unknown): StartFailure {
  if (error instanceof StartFailure) return error;
  if (error instanceof RportError) return new StartFailure("io", errorText(error));
  throw error;
}

try {
  await main();
} catch (error) {
  const { message, exitCode } = toStartFailure(error);
  process.stderr.write(`rport-backend: ${message}\n`);
  process.exitCode = exitCode;
}
