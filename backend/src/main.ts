#!/usr/bin/env node
import "./heapGrowth.ts";
import { homedir } from "node:os";
import { RportError } from "@rport/protocol/errors";
import type { LogOutput } from "@rport/protocol/logOutput";
import { printableLines } from "@rport/protocol/printable";
import { obeySignals } from "@rport/protocol/signals";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { VERSION } from "@rport/protocol/version";
import { pairingCommand } from "./alone/command.ts";
import { auditCommand } from "./audit/command.ts";
import { type Backend, createBackend } from "./backend.ts";
import { importCredentials } from "./cli/importCredentials.ts";
import { userCommand } from "./cli/people/userCommand.ts";
import { tlsCommand } from "./cli/tlsCommand.ts";
import { type Config, personOf, readConfig, type Surroundings } from "./config/config.ts";
import { removeEndpointNow } from "./endpointFile.ts";
import { firstAdministratorCode, lacksAdministrator } from "./firstAdministrator.ts";
import { installationOf } from "./installation.ts";
import { openLog } from "./openLog.ts";
import { tellParent } from "./parent.ts";
import { placesOf } from "./place.ts";
import { systemClock } from "./platform/clock.ts";
import type { Command } from "./platform/commandResult.ts";
import { descriptorLimit } from "./platform/descriptors.ts";
import { errorText, type Log } from "./platform/log.ts";
import { EXIT_CODES, StartFailure } from "./platform/startFailure.ts";
import { announce } from "./runningEntry.ts";
import { warningsOf } from "./startWarnings.ts";

const INSTALLATION = installationOf(import.meta.url);
/** A stop takes no longer than this; what is on disk is safe at any time. */
const STOP_MS = 2_000;

const MOVED =
  "was moved away, or another directory put in its place, while this server ran. It ends now, and has written nothing " +
  "to what is there. What it was told since is in the directory that was moved away. Stop a server before its " +
  "directory is moved or restored.";

/** What the program does beside running a backend, by its first argument. */
const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["audit", auditCommand],
  ["import-credentials", importCredentials],
  ["tls", tlsCommand],
  ["user", userCommand],
]);

/** Reads the configuration, runs until a signal comes, and sets the exit code. */
async function main(): Promise<void> {
  const [command, ...rest] = process.argv.slice(2);
  const known = command === undefined ? undefined : COMMANDS.get(command);
  if (known !== undefined) {
    await runCommand(known, rest);
    return;
  }
  if (command === "pairing") {
    await pairingCommand(surroundings(rest), print);
    return;
  }
  const invocation = readConfig(surroundings(process.argv.slice(2)));
  if (invocation.kind === "print") print([invocation.text]);
  else await run(invocation.config);
}

/** Sets the exit code to what came of it. */
async function runCommand(command: Command, argv: readonly string[]): Promise<void> {
  const result = await command(argv, (flags) => {
    const invocation = readConfig(surroundings(flags));
    if (invocation.kind === "print") throw new Error("flags that print are not passed on");
    return invocation.config.dataDir;
  });
  print(result.lines);
  for (const complaint of result.complaints ?? []) {
    process.stderr.write(`${printableLines(complaint)}\n`);
  }
  process.exitCode = result.exitCode;
}

function surroundings(argv: readonly string[]): Surroundings {
  const { env: environment, platform } = process;
  return { argv, environment, platform, home: homedir() };
}

async function run(config: Config): Promise<void> {
  const { log, output, watchedBy } = openLog(config);
  const life = { backend: undefined as Backend | undefined };
  obeySignals({
    stop: (signal) => void stop(signal, { log, output, backend: life.backend }),
    stopNow: () => process.exit(1),
    reopenLog: () => {
      void output.reopen();
      life.backend?.tls.look();
    },
  });
  for (const warning of warningsOf(config)) log.warn(warning);
  const backend = await createBackend({
    ...config,
    places: placesOf(config),
    installation: INSTALLATION.kind,
    agentFiles: INSTALLATION.agents(config.dataDir),
    descriptors: descriptorLimit(),
    onMoved: () => void abandon(config.dataDir, output),
    clock: systemClock,
    log,
  });
  life.backend = backend;
  watchedBy(backend.limits);
  const takeBack = await announce(backend.paths.directory, {
    person: personOf(surroundings([])),
    log,
  });
  // also where it ends by what was thrown; only a kill -9 or a power cut leaves the files behind
  process.once("exit", () => {
    removeEndpointNow(backend.paths.endpoint, backend.token);
    takeBack();
  });
  introduce(backend);
  print(aboutFirstAdministrator(backend, config));
  log.info("listening", { url: backend.url, version: VERSION, pid: process.pid });
  const { url, token, paths } = backend;
  tellParent({ url, token, tlsPin: pinOfUsers(backend) }, paths.endpoint);
}

/** The key that people are shown by TLS; undefined: they are not. */
function pinOfUsers({ tls, users }: Backend): TlsPin | undefined {
  return tls.certificateAt(users)?.pair.pin;
}

interface Running {
  readonly log: Log;
  readonly output: LogOutput;
  /** Undefined: it has not started yet. */
  readonly backend: Backend | undefined;
}

/** Ends the process with status 0 when everything was closed in time, with 1 otherwise. */
async function stop(signal: string, { log, output, backend }: Running): Promise<void> {
  log.info("stopping", { signal });
  const overdue = systemClock.after(STOP_MS, () => process.exit(1));
  // What a start has opened so far is safe at any time.
  if (backend === undefined) process.exit(0);
  try {
    await backend.close();
    await output.close();
  } catch (error) {
    log.error("stopping failed", { reason: errorText(error) });
    process.exit(1);
  }
  overdue.cancel();
  process.exitCode ??= 0;
  if (process.connected) process.disconnect();
}

/**
 * Ends the process without closing what it has open: its data directory is no longer at its place, and
 * what is there now is not for it to write to.
 */
async function abandon(dataDir: string, output: LogOutput): Promise<void> {
  process.exitCode = EXIT_CODES.io;
  const end = () => process.exit(EXIT_CODES.io);
  systemClock.after(STOP_MS, end);
  process.stderr.write(`rport-backend: ${printableLines(`${dataDir} ${MOVED}`)}\n`);
  await output.close().catch(() => undefined);
  end();
}

function introduce(backend: Backend): void {
  const { url, fingerprints, paths, status } = backend;
  const pin = pinOfUsers(backend);
  const agents = status().connect_url.filter((other) => other !== url);
  print([
    `RPort backend ${VERSION} is ready.`,
    `  Address      ${url}`,
    ...agents.map((other) => `  Agents       ${other}`),
    `  Fingerprint  ${fingerprints.sha256}`,
    `               ${fingerprints.md5}`,
    ...(pin === undefined ? [] : [`  TLS key      ${pin}`]),
    `  Data         ${paths.directory}`,
    "Stop it with Ctrl-C.",
  ]);
}

/** A log or a journal would keep the code, so it is for a terminal, or for whoever asks for it. */
function aboutFirstAdministrator(
  { administration, users, paths }: Backend,
  { printAdminCode, serverUrls, trustedProxies }: Config,
): string[] {
  const facts = { administration, users, serverUrls, trustedProxies };
  if (!lacksAdministrator(facts)) return [];
  const isShown = process.stdout.isTTY === true || printAdminCode;
  const code = isShown ? firstAdministratorCode(facts) : undefined;
  if (code === undefined) {
    return [
      "There is no administrator yet. Make one on this machine:",
      `  ${INSTALLATION.command} user add NAME --administrator --data-dir ${paths.directory}`,
      "or start with --print-admin-code, and type the code in the editor.",
    ];
  }
  return [
    "There is no administrator yet. Whoever types this code in the editor within 15 minutes is it:",
    `  ${code}`,
  ];
}

function print(lines: readonly string[]): void {
  if (lines.length === 0) return;
  process.stdout.write(`${printableLines(lines.join("\n"))}\n`);
}

/** What is no surprise is told in a sentence; a full disk may stop the start anywhere. */
function toStartFailure(error: unknown): StartFailure {
  if (error instanceof StartFailure) return error;
  if (error instanceof RportError) return new StartFailure("io", errorText(error));
  throw error;
}

// Whoever read what is printed for people may be gone.
process.stdout.on("error", () => undefined);
try {
  await main();
} catch (error) {
  const { message, exitCode } = toStartFailure(error);
  process.stderr.write(`rport-backend: ${printableLines(message)}\n`);
  process.exitCode = exitCode;
}
