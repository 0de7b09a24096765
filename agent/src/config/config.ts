import type { RemoteMessage } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { parse, TomlError } from "smol-toml";
import type { z } from "zod";
import type { TunnelRule } from "../tunnels/allow.ts";
import { type ConfigFile, configFileSchema, ignoredNames } from "./configSchema.ts";
import { sortKeys } from "./fileKeys.ts";
import { parseProxyUrl } from "./proxyUrl.ts";

type Table = Readonly<Record<string, unknown>>;

/** Largest configuration file we read, in bytes. */
export const CONFIG_MAX_BYTES = 1 << 20;

/** What the agent logs in with. */
export interface AgentCredential {
  readonly authId: string;
  readonly secret: string;
}

/** What `[terminal]` says. */
export interface TerminalSettings {
  readonly isAllowed: boolean;
  /** That may be asked for where the agent is root; empty: its own alone. */
  readonly accounts: readonly string[];
  /** Terminals at once. */
  readonly max: number;
  /** One in which nothing happens for so long ends; 0 never. */
  readonly idleMs: number;
  /** Instead of the accounts' own, or empty. */
  readonly shell: string;
  /** Whether shells mark their prompts and commands for an editor that asks for it. */
  readonly integratesShells: boolean;
}

/** The agent's configuration; times in milliseconds. */
export interface AgentConfig {
  /** Where it was read from, and where a new secret is written to. */
  readonly file: string;
  /** `ws://` or `wss://` addresses with their ports; the main server first. */
  readonly servers: readonly [string, ...string[]];
  /** How often a connection to a fallback server looks for the main one; 0 never. */
  readonly switchbackMs: number;
  readonly fingerprint: string;
  readonly credential: AgentCredential;
  /** What servers' TLS keys are recognised by; empty: by certificates that this machine trusts. */
  readonly tlsPins: readonly TlsPin[];
  /** The address of a proxy, or empty: what the environment names. */
  readonly proxy: string;
  /** Empty when the machine id is to be used, or when the server is to choose. */
  readonly id: string;
  readonly usesSystemId: boolean;
  readonly usesHostname: boolean;
  readonly name: string;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** A JSON file that has the tags and labels instead, or empty. */
  readonly attributesFile: string;
  readonly remotes: readonly RemoteMessage[];
  readonly tunnelAllowed: readonly TunnelRule[];
  /** Whether the server is told which ports of this host somebody listens on. */
  readonly tellsListeningPorts: boolean;
  readonly terminal: TerminalSettings;
  /** Empty for the platform's own. */
  readonly dataDir: string;
  /** 0 for none. */
  readonly keepAliveMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** The Host header, or empty. */
  readonly hostHeader: string;
  /** Empty for standard error. */
  readonly logFile: string;
  readonly logLevel: "error" | "warn" | "info" | "debug";
  /** Keys of RPort that are accepted and have no effect. */
  readonly ignored: readonly string[];
  /** Keys that nobody knows, each with what may have been meant; they have no effect. */
  readonly unknown: readonly string[];
}

/** Where RPort's client looks for what its file does not have. */
export interface ConfigEnvironment {
  readonly RPORT_AUTH?: string | undefined;
  readonly RPORT_FINGERPRINT?: string | undefined;
}

/**
 * Parses the text of `rport.conf`; auth and fingerprint may come from the environment where the
 * file has none. Throws `BAD_REQUEST` with a sentence that names the file and the key, and what
 * would be allowed; never with a value, which may be a secret.
 */
export function parseConfig(
  text: string,
  file: string,
  environment: ConfigEnvironment = {},
): AgentConfig {
  const { known, unknown } = sortKeys(parseToml(text, file), file);
  const result = configFileSchema.safeParse(completed(known, environment));
  if (!result.success) throw refusal(file, result.error.issues);
  return toConfig(result.data, file, { ignored: ignoredNames(known), unknown });
}

function completed(table: Table, environment: ConfigEnvironment): Table {
  const { client } = table;
  if (typeof client !== "object" || client === null) return table;
  const section: Record<string, unknown> = { ...client };
  section.auth ??= environment.RPORT_AUTH || undefined;
  section.fingerprint ??= environment.RPORT_FINGERPRINT || undefined;
  return { ...table, client: section };
}

/** The texts of a configuration that must not be seen in a log. */
export function secretsIn({ credential, proxy, headers }: AgentConfig): readonly string[] {
  const parsed = parseProxyUrl(proxy);
  const passwords = typeof parsed === "string" ? [] : [parsed.password, parsed.url.password];
  const sent = headers.filter(({ name }) => /^(proxy-)?authorization$|^cookie$/i.test(name));
  return [credential.secret, ...passwords, ...sent.map(({ value }) => value)];
}

/** Parses TOML. The error says where, and does not show the line, which may hold a secret. */
export function parseToml(text: string, file: string): Table {
  try {
    return parse(text);
  } catch (error) {
    const place = error instanceof TomlError ? `line ${error.line}, column ${error.column}` : "it";
    throw new RportError("BAD_REQUEST", `${file}: ${place} is not valid TOML.`);
  }
}

function toConfig(
  parsed: ConfigFile,
  file: string,
  { ignored, unknown }: Pick<AgentConfig, "ignored" | "unknown">,
): AgentConfig {
  const { client, connection, logging, terminal } = parsed;
  return {
    file,
    servers: [client.server, ...client.fallback_servers],
    switchbackMs: client.server_switchback_interval,
    fingerprint: client.fingerprint,
    credential: client.auth,
    tlsPins: client.tls_pin,
    proxy: client.proxy,
    id: client.id,
    usesSystemId: client.use_system_id,
    usesHostname: client.use_hostname,
    name: client.name,
    tags: client.tags,
    labels: client.labels,
    attributesFile: client.attributes_file_path,
    remotes: client.remotes,
    tunnelAllowed: client.tunnel_allowed,
    tellsListeningPorts: client.tell_listening_ports,
    terminal: {
      isAllowed: terminal.enabled,
      accounts: terminal.accounts,
      max: terminal.max,
      idleMs: terminal.idle_timeout,
      shell: terminal.shell,
      integratesShells: terminal.shell_integration,
    },
    dataDir: client.data_dir,
    keepAliveMs: connection.keep_alive,
    keepAliveTimeoutMs: connection.keep_alive_timeout,
    headers: connection.headers,
    hostHeader: connection.hostname,
    logFile: logging.log_file,
    logLevel: logging.log_level,
    ignored,
    unknown,
  };
}

type Issue = z.core.$ZodIssue;

function refusal(file: string, issues: readonly Issue[]): RportError {
  const sentences = issues.slice(0, 5).map((issue) => `${file}: ${describe(issue)}`);
  return new RportError("BAD_REQUEST", sentences.join(" "));
}

function describe(issue: Issue): string {
  const key = issue.path.join(".");
  if (issue.code === "invalid_type") return `${key} ${missingOrWrong(issue)}.`;
  if (issue.code === "invalid_value") return `${key} must be one of ${issue.values.join(", ")}.`;
  if (issue.code === "too_big") return `${key} is too long.`;
  if (issue.code === "invalid_union") return `${key} must be a text or a number.`;
  return `${key} ${issue.message}.`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "a section",
  record: "a table of texts",
};

/** Why a key has to be there, and where else it may be. */
const WHY_NEEDED: Readonly<Record<string, string>> = {
  "client.fingerprint":
    ", and RPORT_FINGERPRINT in the environment, too; without it anybody on the way could pass for the server",
  "client.auth": ", and RPORT_AUTH in the environment, too",
};

function missingOrWrong(issue: Extract<Issue, { code: "invalid_type" }>): string {
  const isMissing = issue.input === undefined && issue.message.includes("undefined");
  if (isMissing) return `is missing${WHY_NEEDED[issue.path.join(".")] ?? ""}`;
  return `must be ${TYPE_NAMES[issue.expected] ?? `of type ${issue.expected}`}`;
}
