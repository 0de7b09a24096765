import type { PairingPayload } from "@rport/protocol/pairing";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { stringify } from "smol-toml";
import { z } from "zod";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { parseConfig, parseToml } from "../config/config.ts";
import { lowerNames } from "../config/fileKeys.ts";
import { normaliseServerUrl } from "../config/serverUrl.ts";
import { weakList, weakText } from "../config/weakly.ts";

/** Proxies in between cut connections that are silent for longer, commonly after 30 or 60 s. */
const KEEP_ALIVE = "25s";
const HEADING = `# Written by "rport-agent enroll". The secret in it is this host's own: keep it private.
# The agent replaces the secret when the server hands out a new one.

`;

const textSchema = weakText(z.string());
const listSchema = weakList(z.string(), 100);

type Table = Readonly<Record<string, unknown>>;

/** What a configuration that is already there means for enrolling again. */
export interface ExistingConfig {
  readonly table: Table;
  /** Normalised; empty when the file names none. */
  readonly servers: readonly string[];
  /** Empty when the file has none. */
  readonly id: string;
}

/**
 * Reads what matters of an existing file. Undefined when it is not valid TOML; throws
 * `BAD_REQUEST` when it has a name in two spellings.
 */
export function readExisting(text: string, file: string): ExistingConfig | undefined {
  const written = tryToml(text, file);
  if (written === undefined) return undefined;
  const table = lowerNames(written, file);
  const { server, fallback_servers: fallbacks, id } = section(table, "client");
  const servers = [server, ...(listSchema.safeParse(fallbacks).data ?? [])].flatMap((one) => {
    const parsed = typeof one === "string" ? normaliseServerUrl(one) : undefined;
    return parsed?.ok ? [parsed.url] : [];
  });
  return { table, servers, id: textSchema.safeParse(id).data ?? "" };
}

/** What to write. */
export interface EnrolledConfig {
  readonly file: string;
  readonly payload: PairingPayload;
  readonly clientId: string;
  /** Empty: the pairing's, else what the existing file has. */
  readonly name: string;
  /** Added to the pairing's. */
  readonly tags: readonly string[];
  /** Empty: what the existing file has, else the platform's own. */
  readonly dataDir: string;
  /** What the server's TLS key is recognised by; undefined: its certificate is trusted. */
  readonly tlsPin: TlsPin | undefined;
  /** On the way to the server, unless the existing file names one; empty: none. */
  readonly proxy: string;
  readonly existing: ExistingConfig | undefined;
}

/**
 * The text of the new `rport.conf`. Everything of an existing file stays that does not say who this
 * host is or where it connects to, above all its own rules (`tunnel_allowed`). Throws when the
 * result would be a file that `run` refuses.
 */
export function enrolledConfig(wanted: EnrolledConfig): string {
  const table = wanted.existing?.table ?? {};
  const merged = {
    ...table,
    client: { ...section(table, "client"), ...clientSection(wanted) },
    connection: { keep_alive: KEEP_ALIVE, ...section(table, "connection") },
  };
  const text = HEADING + stringify(merged);
  try {
    parseConfig(text, wanted.file);
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new CliFailure(EXIT.refused, `The configuration would not be valid. ${why}`);
  }
  return text;
}

function clientSection(wanted: EnrolledConfig): Table {
  const { payload, clientId, dataDir } = wanted;
  const [server, ...fallbacks] = payload.server_urls;
  const name = wanted.name || payload.name;
  const tags = [...new Set([...payload.tags, ...wanted.tags])];
  const section: Record<string, unknown> = {
    server,
    fallback_servers: fallbacks,
    fingerprint: payload.fingerprint,
    auth: `${payload.auth_id}:${payload.secret}`,
    id: clientId,
  };
  // What an earlier enrolment wrote counted for another server, or for another key.
  if (wanted.tlsPin !== undefined || hasPin(wanted.existing)) {
    section.tls_pin = wanted.tlsPin === undefined ? [] : [wanted.tlsPin];
  }
  if (name !== "") section.name = name;
  if (tags.length > 0) section.tags = tags;
  if (dataDir !== "") section.data_dir = dataDir;
  if (wanted.proxy !== "" && !hasProxy(wanted.existing)) section.proxy = wanted.proxy;
  return section;
}

function hasProxy(existing: ExistingConfig | undefined): boolean {
  return Boolean(section(existing?.table ?? {}, "client").proxy);
}

function hasPin(existing: ExistingConfig | undefined): boolean {
  return section(existing?.table ?? {}, "client").tls_pin !== undefined;
}

function tryToml(text: string, file: string): Table | undefined {
  try {
    return parseToml(text, file);
  } catch {
    return undefined;
  }
}

function section(table: Table, name: string): Table {
  const value = table[name];
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
  return isTable ? (value as Table) : {};
}
