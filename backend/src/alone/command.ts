import { obeySignals } from "@rport/protocol/signals";
import { VERSION } from "@rport/protocol/version";
import { type Config, readConfig, type Surroundings } from "../config/config.ts";
import { openLog } from "../openLog.ts";
import { Depositors } from "../pairing/desk/depositors.ts";
import { isLocal } from "../place.ts";
import { systemClock } from "../platform/clock.ts";
import { descriptorLimit } from "../platform/descriptors.ts";
import { readSecretFile } from "../platform/secretFile.ts";
import { StartFailure } from "../platform/startFailure.ts";
import { type AlonePairing, startAlonePairing } from "./pairing.ts";
import { requireUsed } from "./usedSettings.ts";

/** What `rport-backend pairing --help` prints. */
const HELP = `Usage: rport-backend pairing [flags]

Runs a pairing service alone: servers deposit what it cannot open, hosts claim it with the line that somebody
pasted. It keeps everything in memory and needs no data directory.

  -c, --config FILE        a TOML file with the settings below
      --address HOST:PORT  where it listens             [server] address     127.0.0.1:8080
      --port PORT          only the port of it; 0 takes any free one
      --log-level LEVEL    debug, info, warn or error   [logging] log_level  info
      --log-file FILE      instead of standard error    [logging] log_file
  -h, --help

Only in the file or the environment:
  [server]  trusted_proxies  whose X-Forwarded-For counts
            cert_file, key_file  what TLS is spoken with, taken anew when they change
  [pairing] keys_file        who may deposit, a line each: NAME KEY; mode 0600. Without it everybody may,
                             ten times a minute
  [limits]  all keys are in docs/configuration.md`;

/** Runs a pairing service until a signal comes. Throws a `StartFailure` when it cannot start. */
export async function pairingCommand(
  surroundings: Surroundings,
  print: (lines: readonly string[]) => void,
): Promise<void> {
  if (surroundings.argv.some((word) => word === "--help" || word === "-h")) {
    print([HELP]);
    return;
  }
  const invocation = readConfig(surroundings);
  if (invocation.kind === "print") {
    print([invocation.text]);
    return;
  }
  requireUsed(invocation.settings);
  await run(invocation.config, print);
}

async function run(config: Config, print: (lines: readonly string[]) => void): Promise<void> {
  const { log, output, watchedBy } = openLog(config);
  const depositors = depositorsOf(config);
  if (!depositors.isListed && !isLocal(config.serverAddress)) {
    log.warn("every server may deposit here; pairing.keys_file says which ones may");
  }
  const life = { service: undefined as AlonePairing | undefined };
  const stopped = Promise.withResolvers<string>();
  obeySignals({
    stop: (signal) => stopped.resolve(signal),
    stopNow: () => process.exit(1),
    reopenLog: () => {
      void output.reopen();
      life.service?.lookAtCertificate();
    },
  });
  const { serverAddress: address, trustedProxies, limits, tls } = config;
  const service = await startAlonePairing({
    address,
    tls: tls.server?.kind === "files" ? tls.server : undefined,
    trustedProxies,
    limits,
    descriptors: descriptorLimit(),
    depositors,
    clock: systemClock,
    log,
  });
  life.service = service;
  watchedBy(service.limits);
  print([`RPort pairing service ${VERSION} is ready.`, `  Address  ${service.url}`]);
  log.info("listening", { url: service.url, version: VERSION, pid: process.pid });
  log.info("stopping", { signal: await stopped.promise });
  await service[Symbol.asyncDispose]();
  await output.close();
}

function depositorsOf({ pairing: { keysFile } }: Config): Depositors {
  if (keysFile === undefined) return Depositors.anybody(systemClock);
  try {
    return Depositors.parse(readSecretFile(keysFile, "pairing.keys_file"), systemClock);
  } catch (error) {
    if (error instanceof StartFailure) throw error;
    const why = error instanceof Error ? error.message : "";
    throw new StartFailure("configuration", `pairing.keys_file: ${keysFile}: ${why}.`);
  }
}
