import "./platform/youngSpace.ts";
import os from "node:os";
import { RportError } from "@rport/protocol/errors";
import type { LogOutput } from "@rport/protocol/logOutput";
import { printableLines } from "@rport/protocol/printable";
import { obeySignals } from "@rport/protocol/signals";
import { VERSION } from "@rport/protocol/version";
import { Agent } from "./agent.ts";
import { type Command, type EnrollCommand, parseCommand, USAGE } from "./cli/cli.ts";
import { CliFailure, EXIT } from "./cli/cliFailure.ts";
import type { AgentConfig } from "./config/config.ts";
import { configuredDataDir } from "./config/dataDir.ts";
import { loadConfig } from "./config/loadConfig.ts";
import { enroll } from "./enroll/enroll.ts";
import { readToken } from "./enroll/token.ts";
import { forgetHostKey } from "./host/hostKey.ts";
import { platformOf } from "./machine/platformOf.ts";
import { noteFailure, putAside, serviceLogOf } from "./machine/windows/serviceLog.ts";
import { SYSTEM_CLOCK } from "./platform/clock.ts";
import { textOf } from "./platform/errorText.ts";
import { type Log, openLog } from "./platform/log.ts";
import { runService } from "./service/command.ts";
import { stateFileIn } from "./state/stateFile.ts";
import { isProcessAlive, waitOnline } from "./state/waitOnline.ts";
import { SYSTEM_LOOKUP } from "./tunnels/target.ts";

/** An agent that is told to stop ends after this, whatever its files and lookups wait for. */
const STOP_MS = 10_000;
/** A stopped agent that something keeps from ending is ended after this. */
const EXIT_GRACE_MS = 5_000;
/** The only place that looks which system this is. */
const PLATFORM = platformOf(process.platform);

async function execute(command: Command): Promise<number> {
  switch (command.kind) {
    case "help":
      process.stdout.write(USAGE);
      return EXIT.ok;
    case "version":
      process.stdout.write(`rport-agent ${VERSION}\n`);
      return EXIT.ok;
    case "enroll":
      return await runEnroll(command);
    case "run":
      return command.isService
        ? await runAsService(command.config)
        : await runAgent(command.config);
    case "waitOnline":
      return await runWait(command.config, command.timeoutMs);
    case "service":
      return await runService(command.name, command.args, PLATFORM);
  }
}

async function runEnroll(command: EnrollCommand): Promise<number> {
  const { tokenFile } = command;
  const token = await readToken(
    tokenFile === undefined
      ? { kind: "stdin", stream: process.stdin }
      : { kind: "file", path: tokenFile },
  );
  const { server, pairing, tlsPin, config: file, name, tags, isNewId, dataDir, isForced } = command;
  const request = { server, pairing, tlsPin, file, token, name, tags, isNewId, dataDir, isForced };
  const deps = { platform: PLATFORM, hostname: os.hostname(), clock: SYSTEM_CLOCK };
  const { authId, clientId } = await enroll(request, deps);
  if (isNewId) await forgetHostKey(await configuredDataDir(file, PLATFORM.dataDir));
  process.stdout.write(printableLines(`enrolled as ${authId}, client ${clientId}\n`));
  return EXIT.ok;
}

async function runAgent(file: string): Promise<number> {
  const config = await loadConfig(file);
  const { log, output } = openLog(config.logFile, { level: config.logLevel, clock: SYSTEM_CLOCK });
  const stop = stopSignal(output);
  log.info("starting", { version: VERSION, config: file, pid: process.pid });
  await runUntil(stop, config, log);
  await output.close();
  return EXIT.ok;
}

/** The same for a service manager that has to be told; without a log file of its own it gets one. */
async function runAsService(file: string): Promise<number> {
  if (PLATFORM.joinServiceManager === undefined) {
    throw new CliFailure(
      EXIT.usage,
      "--service is for Windows. Services of this system need no option.",
    );
  }
  const session = await PLATFORM.joinServiceManager();
  const ownLog = serviceLogOf(file);
  await putAside(ownLog);
  try {
    const config = await loadConfig(file);
    const logFile = config.logFile || ownLog;
    const { log, output } = openLog(logFile, { level: config.logLevel, clock: SYSTEM_CLOCK });
    log.info("starting", { version: VERSION, config: file, pid: process.pid });
    session.running();
    await runUntil(session.stop, config, log);
    await output.close();
  } catch (error) {
    await noteFailure(ownLog, error);
    throw error;
  }
  session.ended();
  return EXIT.ok;
}

async function runUntil(stop: Promise<string>, config: AgentConfig, log: Log): Promise<void> {
  await using _agent = await Agent.start({
    config,
    log,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    resolve: SYSTEM_LOOKUP,
    platform: PLATFORM,
  });
  log.info("stopping", { signal: await stop });
  setTimeout(() => process.exit(EXIT.ok), STOP_MS).unref();
}

/** Resolves with the signal that asks us to stop; a second one ends the process. */
function stopSignal(output: LogOutput): Promise<string> {
  return new Promise((stop) => {
    obeySignals({
      stop,
      stopNow: () => process.exit(EXIT.failed),
      reopenLog: () => void output.reopen(),
    });
  });
}

async function runWait(file: string, timeoutMs: number): Promise<number> {
  const result = await waitOnline({
    stateFile: stateFileIn(await configuredDataDir(file, PLATFORM.dataDir)),
    timeoutMs,
    clock: SYSTEM_CLOCK,
    isAlive: isProcessAlive,
  });
  if (result.kind === "online") return EXIT.ok;
  process.stderr.write(`${printableLines(result.message)}\n`);
  return EXIT.offline;
}

async function main(): Promise<void> {
  process.exitCode = await execute(parseCommand(process.argv.slice(2))).catch(tell);
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}

function tell(error: unknown): number {
  process.stderr.write(`rport-agent: ${printableLines(textOf(error))}\n`);
  if (error instanceof CliFailure) return error.exitCode;
  return error instanceof RportError && error.code === "BAD_REQUEST" ? EXIT.usage : EXIT.failed;
}

// Whoever read what is printed may be gone.
process.stdout.on("error", () => undefined);
main().catch((error: unknown) => {
  process.exitCode = tell(error);
});
