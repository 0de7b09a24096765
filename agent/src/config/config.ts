import type { RemoteMessage } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import { parse, TomlError } from "smol-toml";
import type { z } from "zod";
import type { TunnelRule } from "../tunnels/allow.ts";
import { allowedNames, type ConfigFile, configFileSchema, ignoredNames } from "./configSchema.ts";
import { parseProxyUrl } from "./proxyUrl.ts";

/** Largest configuration file we read, in bytes. */
export const CONFIG_MAX_BYTES = 1 << 20;

/** What the agent logs in with. */
export interface AgentCredential {
  readonly authId: string;
  readonly secret: string;
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
}

/**
 * Parses the text of `rport.conf`. Throws `BAD_REQUEST` with a sentence that names the file and the
 * key, and what would be allowed; never with a value, which may be a secret.
 */
export function parseConfig(text: string, file: string): AgentConfig {
  const table = parseToml(text, file);
  const result = configFileSchema.safeParse(table);
  if (!result.success) throw refusal(file, result.error.issues);
  return toConfig(result.data, file, ignoredNames(table));
}

/** The texts of a configuration that must not be seen in a log. */
export function secretsIn({ credential, proxy, headers }: AgentConfig): readonly string[] {
  const parsed = parseProxyUrl(proxy);
  const passwords = typeof parsed === "string" ? [] : [parsed.password, parsed.url.password];
  const sent = headers.filter(({ name }) => /^(proxy-)?authorization$|^cookie$/i.test(name));
  return [credential.secret, ...passwords, ...sent.map(({ value }) => value)];
}

/** Parses TOML. The error says where, and does not show the line, which may hold a secret. */
export function parseToml(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    const place = error instanceof TomlError ? `line ${error.line}, column ${error.column}` : "it";
    throw new RportError("BAD_REQUEST", `${file}: ${place} is not valid TOML.`);
  }
}

function toConfig(parsed: ConfigFile, file: string, ignored: readonly string[]): AgentConfig {
  const { client, connection, logging } = parsed;
  return {
    file,
    servers: [client.server, ...client.fallback_servers],
    switchbackMs: client.server_switchback_interval,
    fingerprint: client.fingerprint,
    credential: client.auth,
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
    dataDir: client.data_dir,
    keepAliveMs: connection.keep_alive,
    keepAliveTimeoutMs: connection.keep_alive_timeout,
    headers: connection.headers,
    hostHeader: connection.hostname,
    logFile: logging.log_file,
    logLevel: logging.log_level,
    ignored,
  };
}

type Issue = z.core.$ZodIssue;

function refusal(file: string, issues: readonly Issue[]): RportError {
  const sentences = issues.slice(0, 5).map((issue) => `${file}: ${describe(issue)}`);
  return new RportError("BAD_REQUEST", sentences.join(" "));
}

function describe(issue: Issue): string {
  const key = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const names = issue.keys.map((name) => (key === "" ? name : `${key}.${name}`));
    const section = issue.path[0]?.toString();
    const allowed = allowedNames(section).join(", ");
    const where = section === undefined ? "Sections" : `Keys of [${section}]`;
    return `${names.join(", ")}: not known. ${where}: ${allowed}.`;
  }
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

function missingOrWrong(issue: Extract<Issue, { code: "invalid_type" }>): string {
  const isMissing = issue.input === undefined && issue.message.includes("undefined");
  const wanted = TYPE_NAMES[issue.expected] ?? `of type ${issue.expected}`;
  return isMissing ? "is missing" : `must be ${wanted}`;
}
