import { isDeepStrictEqual } from "node:util";
import { RportError } from "@rport/protocol/errors";
import { stringify } from "smol-toml";
import { textOf } from "../platform/errorText.ts";
import { parseToml } from "./config.ts";
import { allowedNames } from "./configSchema.ts";
import { lowerNames } from "./fileKeys.ts";
import { withKey } from "./keyLine.ts";
import { normaliseServerUrl } from "./serverUrl.ts";

type Table = Readonly<Record<string, unknown>>;

/**
 * What stays of a file that another account has written: who this host is and how it knows its server,
 * what only says something to that server, what can only keep tunnels from where they might go, and numbers.
 * Whatever names a file, a program, an account, or another way to a server does not: a more powerful
 * account would write it, start it, or obey whoever answers there.
 */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  client: [
    "server",
    "fingerprint",
    "auth",
    "tls_pin",
    "use_system_id",
    "id",
    "use_hostname",
    "name",
    "tags",
    "labels",
    "remotes",
    "tunnel_allowed",
    "tell_listening_ports",
  ],
  connection: ["keep_alive", "keep_alive_timeout"],
  logging: ["log_level"],
  terminal: ["max", "idle_timeout"],
};
const HEADING =
  "# Another account wrote this. The installer kept who this host is, and what does no harm.\n\n";

/** What the one who installs says, and a file of another account may not. */
export interface Said {
  /** The one server; undefined: enrolling will say which. */
  readonly server: string | undefined;
  /** On the way to it, or empty. */
  readonly proxy: string;
  readonly dataDir: string;
}

/** The text of a file as it is for another account. */
export interface MovedConfig {
  readonly text: string;
  /** The keys with an effect that were left out, such as `terminal.shell`. */
  readonly dropped: readonly string[];
}

/**
 * The text of an `rport.conf` for another account than the one that wrote it, with its remarks where lines can be
 * taken out of it. Throws `BAD_REQUEST` for one that is damaged: whoever mends it later would mend all
 * that stands in it.
 */
export function movedConfig(text: string, file: string, said: Said): MovedConfig {
  const table = tableIn(text, file);
  const kept = Object.keys(KEPT).map((name) => [name, picked(table, name)]);
  const sections: Record<string, Table> = Object.fromEntries(kept);
  const client = clientOf(sections.client ?? {}, said);
  const terminal = terminalOf(table, sections.terminal ?? {});
  const wanted: Readonly<Record<string, Table>> = { ...sections, client, terminal };
  const dropped = droppedOf(table, wanted);
  return { text: withLinesOf(text, file, wanted) ?? HEADING + stringify(wanted), dropped };
}

/** Terminals that were allowed are forbidden, until whoever installs says something of them. */
function terminalOf(table: Table, kept: Table): Table {
  return tableOf(table.terminal).enabled === undefined ? kept : { ...kept, enabled: false };
}

/** The same text with other lines where its keys differ; undefined: that is not enough. */
function withLinesOf(
  text: string,
  file: string,
  wanted: Readonly<Record<string, Table>>,
): string | undefined {
  let changed: string | undefined = text;
  for (const section of Object.keys(KEPT)) {
    const before = tableOf(tableIn(text, file)[section]);
    // Names that are not known are not looked for: whoever wrote the file chose them.
    for (const key of allowedNames(section)) {
      const value = wanted[section]?.[key];
      if (changed === undefined || isDeepStrictEqual(before[key], value)) continue;
      if (value !== undefined && typeof value !== "string" && value !== false) return undefined;
      changed = withKey(changed, { section, key }, value);
    }
  }
  if (changed === undefined) return undefined;
  const isSame = isDeepStrictEqual(filled(tableIn(changed, file)), filled(wanted));
  return isSame ? changed : undefined;
}

/** Without sections in which nothing is. */
function filled(table: Table): Table {
  const entries = Object.entries(table).map(([name, section]) => [name, { ...tableOf(section) }]);
  return Object.fromEntries(entries.filter(([, section]) => Object.keys(section ?? {}).length > 0));
}

function clientOf(client: Table, { server, proxy, dataDir }: Said): Table {
  const section: Record<string, unknown> = { ...client, data_dir: dataDir };
  if (server !== undefined && !isSame(client.server, server)) section.server = server;
  if (proxy !== "") section.proxy = proxy;
  return section;
}

function isSame(written: unknown, server: string): boolean {
  const [one, other] = [normaliseServerUrl(String(written)), normaliseServerUrl(server)];
  return one.ok && other.ok && one.url === other.url;
}

function tableIn(text: string, file: string): Table {
  try {
    return lowerNames(parseToml(text, file), file);
  } catch (error) {
    const why = "Another account wrote it, hence it is not taken over as it is.";
    const remedy = "Move it away, and enrol this host anew.";
    throw new RportError("BAD_REQUEST", `${textOf(error)} ${why} ${remedy}`);
  }
}

/** Of the other keys those that say nothing, such as an empty list. */
function picked(table: Table, name: string): Table {
  const isKept = ([key, value]: readonly [string, unknown]) =>
    KEPT[name]?.includes(key) || (allowedNames(name).includes(key) && !isSet(value));
  return Object.fromEntries(Object.entries(tableOf(table[name])).filter(isKept));
}

/** Of known names alone: whoever wrote the file chose the others. */
function droppedOf(table: Table, moved: Readonly<Record<string, Table>>): readonly string[] {
  return Object.keys(KEPT).flatMap((name) => {
    const before = tableOf(table[name]);
    const isDropped = (key: string) =>
      isSet(before[key]) && !isDeepStrictEqual(before[key], moved[name]?.[key]);
    return allowedNames(name)
      .filter(isDropped)
      .map((key) => `${name}.${key}`);
  });
}

/** What is as it would be without its line is missed by nobody. */
function isSet(value: unknown): boolean {
  const isEmpty = Array.isArray(value) && value.length === 0;
  return value !== undefined && value !== "" && value !== false && !isEmpty;
}

function tableOf(section: unknown): Table {
  const isTable = typeof section === "object" && section !== null && !Array.isArray(section);
  return isTable ? (section as Table) : {};
}
