import { parse, TomlError } from "smol-toml";
import type { Source } from "./check.ts";
import { unknownName, wrongSetting } from "./check.ts";
import { DATA_DIR_FLAGS } from "./dataDirFlags.ts";
import { readFlags } from "./flags.ts";
import type { RawSettings } from "./settings.ts";
import { BOOLEAN_KEYS, LIST_KEYS, NUMBER_KEYS, SECTIONS } from "./settings.ts";
import { parseHostPort } from "./values.ts";

/** All environment variables of ours begin with this. */
const PREFIX = "RPORT_";

/** The flags; none takes a secret, because other people see a process's arguments. */
const FLAGS = {
  ...DATA_DIR_FLAGS,
  address: { type: "string" },
  port: { type: "string" },
  "api-address": { type: "string" },
  tls: { type: "string" },
  "pairing-ttl": { type: "string" },
  "log-level": { type: "string" },
  "log-file": { type: "string" },
  "accept-lost-changes": { type: "boolean" },
  "print-admin-code": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

/** Which setting a flag stands for. */
const FLAG_OF: Readonly<Record<string, string>> = {
  "server.data_dir": "data-dir",
  "server.address": "address",
  "api.address": "api-address",
  "server.tls": "tls",
  "pairing.ttl": "pairing-ttl",
  "logging.log_level": "log-level",
  "logging.log_file": "log-file",
};

/** The command line, read but not yet checked. */
export interface CommandLine {
  readonly values: Readonly<Partial<Record<keyof typeof FLAGS, string | boolean>>>;
  readonly source: Source;
}

/** What a configuration file says. */
export function fileSource(path: string, text: string): Source {
  try {
    return { name: path, raw: parse(text), spell: (key) => key };
  } catch (caught) {
    // The library's own message repeats lines of the file, and one may hold the key seed.
    const place =
      caught instanceof TomlError ? ` (line ${caught.line}, column ${caught.column})` : "";
    throw wrongSetting(`${path} is not TOML${place}.`);
  }
}

/** What the environment says: `RPORT_SERVER_ADDRESS` is `server.address`. */
export function environmentSource(
  environment: Readonly<Record<string, string | undefined>>,
): Source {
  const raw: RawSettings = {};
  for (const [name, text] of Object.entries(environment)) {
    const section = Object.keys(SECTIONS).find((known) => name.startsWith(spell(`${known}.`)));
    if (section === undefined || text === undefined) continue;
    const key = name.slice(spell(`${section}.`).length).toLowerCase();
    if (!SECTIONS[section]?.includes(key)) throw wrongSetting(unknownVariable(section, name));
    raw[section] = { ...raw[section], [key]: fromText(`${section}.${key}`, text) };
  }
  return { name: "environment", raw, spell };
}

/** What the command line says. Fails as `readFlags` does, and when there is more than flags. */
export function commandLine(argv: readonly string[]): CommandLine {
  const { values, positionals } = readFlags(argv, FLAGS);
  const [word] = positionals;
  if (word !== undefined) {
    throw wrongSetting(`command line: there is no command or flag "${word}". See --help.`);
  }
  const raw: RawSettings = {};
  for (const [setting, flag] of Object.entries(FLAG_OF)) {
    const value = values[flag as keyof typeof FLAGS];
    const [section = "", key = ""] = setting.split(".");
    if (value !== undefined) raw[section] = { ...raw[section], [key]: value };
  }
  const spellFlag = (key: string): string => `--${FLAG_OF[key] ?? key}`;
  return { values, source: { name: "command line", raw, spell: spellFlag } };
}

/** The number after `--port`; undefined when the flag was not given. */
export function portOf(line: CommandLine): number | undefined {
  const { port } = line.values;
  if (port === undefined) return undefined;
  const parsed = parseHostPort(`localhost:${port}`);
  if (parsed !== undefined) return parsed.port;
  throw wrongSetting(`command line: --port = "${port}" has to be a number from 0 to 65535.`);
}

function spell(key: string): string {
  return PREFIX + key.toUpperCase().replace(".", "_");
}

function unknownVariable(section: string, name: string): string {
  const names = (SECTIONS[section] ?? []).map((key) => spell(`${section}.${key}`));
  const meant = unknownName(
    "variable",
    name.toLowerCase(),
    names.map((one) => one.toLowerCase()),
  );
  return `environment: ${meant.replaceAll(/rport_\w+/g, (text) => text.toUpperCase())}`;
}

function fromText(key: string, text: string): unknown {
  if (LIST_KEYS.includes(key)) return text.split(",").map((item) => item.trim());
  if (BOOLEAN_KEYS.includes(key) && /^(true|false)$/.test(text)) return text === "true";
  return NUMBER_KEYS.includes(key) && /^\d+$/.test(text) ? Number(text) : text;
}
