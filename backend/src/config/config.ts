import { resolve } from "node:path";
import { readNamedSync } from "@rport/protocol/local/smallFile";
import { type Person, usualDataDir } from "@rport/protocol/local/stateFolders";
import { PAIRING_TTL_S } from "@rport/protocol/pairing";
import { VERSION } from "@rport/protocol/version";
import type { SetLimits } from "../limits/limitTable.ts";
import type { LogLevel } from "../platform/log.ts";
import { type PortRange, withoutRanges } from "../platform/portRanges.ts";
import { checkSettings, wrongSetting } from "./check.ts";
import { HELP } from "./help.ts";
import { type PairingElsewhere, pairingElsewhere } from "./pairingSettings.ts";
import type { Settings } from "./settings.ts";
import { type CommandLine, commandLine, environmentSource, fileSource, portOf } from "./sources.ts";
import { type TlsSettings, tlsSettings } from "./tlsSettings.ts";
import type { HostPort } from "./values.ts";

/** RPort's port, on the person's own machine only. */
const DEFAULT_ADDRESS: HostPort = { host: "127.0.0.1", port: 8_080 };
/** Larger configuration files are not ours. */
const FILE_MAX_BYTES = 1_048_576;

/** How the server runs, complete and checked. */
export interface Config {
  readonly dataDir: string;
  /** Agents and pairing listen here. */
  readonly serverAddress: HostPort;
  /** Users listen here; the same object as `serverAddress` unless set apart. */
  readonly apiAddress: HostPort;
  /** Where the certificates of the two come from. */
  readonly tls: TlsSettings;
  /** Figures are here for whoever connects; undefined: only where users are, with a token. */
  readonly metricsAddress: HostPort | undefined;
  /** Where agents reach the server; empty: where they were told. */
  readonly serverUrls: readonly string[];
  /** Addresses and networks of the proxies in front, whose `X-Forwarded-For` counts. */
  readonly trustedProxies: readonly string[];
  /** The server key comes from it instead of from the data directory. */
  readonly keySeed: string | undefined;
  readonly passwordMinLength: number;
  readonly signIn: {
    /** Fewest characters of a user's password. */
    readonly passwordMinLength: number;
    /** Whether everybody has to have a second factor. */
    readonly totpRequired: boolean;
  };
  readonly tunnels: {
    /** Undefined: on this machine only, unless a person or a host says otherwise. */
    readonly bind: string | undefined;
    readonly ports: readonly PortRange[];
  };
  /** Whether every terminal is recorded. */
  readonly recordsTerminals: boolean;
  readonly pairing: {
    readonly ttlS: number;
    /** Where hosts claim from instead of here; undefined: here. */
    readonly elsewhere: PairingElsewhere | undefined;
    /** Of a pairing service: a file with the servers that may deposit; undefined: all, slowly. */
    readonly keysFile: string | undefined;
  };
  /** Where limits differ from the usual. */
  readonly limits: SetLimits;
  /** Whether to start although the database lacks changes that were made. */
  readonly acceptLostChanges: boolean;
  /** Whether the code of the first administrator is printed also where no terminal shows it. */
  readonly printAdminCode: boolean;
  readonly logging: { readonly level: LogLevel; readonly file: string | undefined };
}

/** What the program was asked to do. */
export type Invocation =
  | { readonly kind: "run"; readonly config: Config; readonly settings: Settings }
  /** Only to print this. */
  | { readonly kind: "print"; readonly text: string };

/** Where the configuration comes from. */
export interface Surroundings {
  /** Arguments after the program's own name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/**
 * Reads the configuration: flags before environment before file before defaults. Fails with a
 * `StartFailure` (exit code 2) that names the source, the key, and what is allowed.
 */
export function readConfig(surroundings: Surroundings): Invocation {
  const line = commandLine(surroundings.argv);
  if (line.values.help === true) return { kind: "print", text: HELP };
  if (line.values.version === true) return { kind: "print", text: `rport-backend ${VERSION}` };
  const { environment } = surroundings;
  const path = line.values.config ?? environment.RPORT_CONFIG;
  const layers = [
    checkSettings(line.source),
    checkSettings(environmentSource(environment)),
    typeof path === "string" ? checkSettings(fileSource(path, readText(path))) : {},
  ];
  const merged = layers.reduceRight<Settings>(overlay, {});
  return { kind: "run", config: toConfig(merged, line, surroundings), settings: merged };
}

/** Whose program this is. */
export function personOf({ environment, platform, home }: Surroundings): Person {
  return { platform, home, variable: (name) => environment[name] || undefined };
}

function toConfig(settings: Settings, line: CommandLine, surroundings: Surroundings): Config {
  const port = portOf(line);
  const { server, api, metrics, tunnels, terminals, pairing, limits, logging } = settings;
  const address = server?.address ?? DEFAULT_ADDRESS;
  const serverAddress = port === undefined ? address : { ...address, port };
  return {
    dataDir: resolve(server?.data_dir ?? usualDataDir(personOf(surroundings))),
    serverAddress,
    apiAddress: api?.address ?? serverAddress,
    tls: tlsSettings({ server, api, pairing }),
    metricsAddress: metrics?.address,
    serverUrls: server?.url ?? [],
    trustedProxies: server?.trusted_proxies ?? [],
    keySeed: server?.key_seed,
    passwordMinLength: server?.client_auth_password_min_length ?? 12,
    signIn: {
      passwordMinLength: api?.password_min_length ?? 12,
      totpRequired: api?.totp_required ?? false,
    },
    tunnels: {
      bind: tunnels?.bind,
      ports: portsOf(server),
    },
    recordsTerminals: terminals?.record ?? false,
    pairing: {
      ttlS: pairing?.ttl ?? PAIRING_TTL_S,
      elsewhere: pairingElsewhere(pairing),
      keysFile: pairing?.keys_file,
    },
    limits: limits ?? {},
    printAdminCode: line.values["print-admin-code"] === true,
    acceptLostChanges: line.values["accept-lost-changes"] === true,
    logging: { level: logging?.log_level ?? "info", file: logging?.log_file },
  };
}

function portsOf(server: Settings["server"]): readonly PortRange[] {
  const ports = server?.used_ports ?? [{ from: 20_000, to: 30_000 }];
  const left = withoutRanges(ports, server?.excluded_ports ?? []);
  if (left.length > 0) return left;
  throw wrongSetting("server.excluded_ports leaves no port of server.used_ports for tunnels.");
}

function overlay(lower: Settings, upper: Settings): Settings {
  return {
    server: { ...lower.server, ...upper.server },
    api: { ...lower.api, ...upper.api },
    metrics: { ...lower.metrics, ...upper.metrics },
    tunnels: { ...lower.tunnels, ...upper.tunnels },
    terminals: { ...lower.terminals, ...upper.terminals },
    pairing: { ...lower.pairing, ...upper.pairing },
    limits: { ...lower.limits, ...upper.limits },
    logging: { ...lower.logging, ...upper.logging },
  };
}

function readText(path: string): string {
  try {
    const bytes = readNamedSync(path, FILE_MAX_BYTES);
    if (bytes !== undefined) return bytes.toString("utf8");
  } catch {
    throw wrongSetting(`${path} cannot be read. It was named with --config or RPORT_CONFIG.`);
  }
  throw wrongSetting(`${path} is larger than ${FILE_MAX_BYTES} bytes.`);
}
