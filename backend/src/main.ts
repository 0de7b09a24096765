#!/usr/bin/env node
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { RportError } from "@rport/protocol/errors";
import { VERSION } from "@rport/protocol/version";
import { type Backend, createBackend } from "./backend.ts";
import { type Config, readConfig } from "./config.ts";
import { placesOf } from "./place.ts";
import { systemClock } from "./platform/clock.ts";
import { createLog, errorText, fileSink, type Log, stderrSink } from "./platform/log.ts";
import { StartFailure } from "./platform/startFailure.ts";

/** Where `npm run build` puts the agent's files. */
const AGENT_FILES = fileURLToPath(new URL("../../dist/agent", import.meta.url));
/** A stop takes no longer than this; what is on disk is safe at any time. */
const STOP_MS = 2_000;
const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Reads the configuration, runs until a signal comes, and sets the exit code. */
async function main(): Promise<void> {
  const invocation = readConfig({
    argv: process.argv.slice(2),
    environment: process.env,
    platform: process.platform,
    home: homedir(),
  });
  if (invocation.kind === "print") print([invocation.text]);
  else await run(invocation.config);
}

async function run(config: Config): Promise<void> {
  const { level, file } = config.logging;
  const sink = file === undefined ? stderrSink : fileSink(file);
  const log = createLog({ clock: systemClock, level, sink });
  const backend = await createBackend({
    ...config,
    places: placesOf(config),
    agentFiles: AGENT_FILES,
    clock: systemClock,
    log,
  });
  stopOnSignal(backend, log);
  introduce(backend);
  log.info("listening", { url: backend.url, version: VERSION, pid: process.pid });
  process.send?.({ endpointFile: backend.paths.endpoint });
}

/** The first signal stops in order, a second one at once. */
function stopOnSignal(backend: Backend, log: Log): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info("stopping", { signal });
    const overdue = systemClock.after(STOP_MS, () => process.exit(1));
    backend.close().then(
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
