import { closest } from "@rport/protocol/closest";
import { RportError } from "@rport/protocol/errors";
import { allowedNames, isIgnoredSection, SECTION_NAMES } from "./configSchema.ts";

type Table = Readonly<Record<string, unknown>>;

/** A configuration file, its names as we write them. */
export interface SortedFile {
  /** Sections and keys that are known. */
  readonly known: Table;
  /** Sections and keys that are not, each with the one that may have been meant. */
  readonly unknown: readonly string[];
}

/**
 * The one key whose absence lets everybody in: whoever misspells it, or writes it somewhere else,
 * would have no rules at all and not notice.
 */
const RULES = "tunnel_allowed";
const RULES_WORDS = ["tunnel", "allow"];

/**
 * Sorts the names of a configuration file as RPort's reader does, which ignores case and what it
 * does not know. Throws `BAD_REQUEST` for a name that is there in two spellings, and for one that
 * may have been meant to limit what tunnels reach.
 */
export function sortKeys(table: Table, file: string): SortedFile {
  const unknown: string[] = [];
  const known: Record<string, unknown> = {};
  for (const [name, section] of Object.entries(lowerNames(table, file))) {
    refuseRules(name, section, file);
    if (hasEffect(name) && isTable(section)) {
      const allowed = allowedNames(name);
      const [ours, others] = partition(section, (key) => allowed.includes(key));
      known[name] = ours;
      unknown.push(...Object.keys(others).map((key) => described([name, key], allowed)));
    } else if (hasEffect(name) || isIgnoredSection(name)) known[name] = section;
    else unknown.push(described([name], allowedNames(undefined)));
  }
  return { known, unknown };
}

/** The same file with the names of its sections, and of their keys where we read them, as ours. */
export function lowerNames(table: Table, file: string): Table {
  const sections = Object.entries(lowerKeys(table, "", file)).map(([name, section]) => {
    const isRead = hasEffect(name) && isTable(section);
    return [name, isRead ? lowerKeys(section, name, file) : section];
  });
  return Object.fromEntries(sections);
}

function hasEffect(name: string): boolean {
  return SECTION_NAMES.includes(name);
}

function partition(table: Table, isOurs: (key: string) => boolean): readonly [Table, Table] {
  const entries = Object.entries(table);
  const ours = entries.filter(([key]) => isOurs(key));
  const others = entries.filter(([key]) => !isOurs(key));
  return [Object.fromEntries(ours), Object.fromEntries(others)];
}

function described(path: readonly string[], allowed: readonly string[]): string {
  const meant = closest(path.at(-1) ?? "", allowed);
  const whole = path.join(".");
  return meant === undefined ? whole : `${whole} (did you mean ${meant}?)`;
}

/** Rules in another section, in a misspelt one, or in none, would have no effect either. */
function refuseRules(name: string, section: unknown, file: string): void {
  if (meansRules(name)) throw misplaced(name, file);
  if (!isTable(section)) return;
  const found = Object.keys(section).find((written) => {
    const key = written.toLowerCase();
    return meansRules(key) && !(name === "client" && key === RULES);
  });
  if (found !== undefined) throw misplaced(`${name}.${found}`, file);
}

function meansRules(key: string): boolean {
  return RULES_WORDS.every((word) => key.includes(word)) || closest(key, [RULES]) !== undefined;
}

function misplaced(name: string, file: string): RportError {
  const sentence = `${file}: ${name} would have no effect. Did you mean ${RULES} in [client]?`;
  const why = "Without it tunnels reach everything, so this agent does not start.";
  return new RportError("BAD_REQUEST", `${sentence} ${why}`);
}

function lowerKeys(table: Table, where: string, file: string): Table {
  const lower = new Map<string, unknown>();
  for (const [key, value] of Object.entries(table)) {
    const name = key.toLowerCase();
    if (lower.has(name)) {
      const whole = where === "" ? name : `${where}.${name}`;
      throw new RportError("BAD_REQUEST", `${file}: ${whole} is there in two spellings.`);
    }
    lower.set(name, value);
  }
  return Object.fromEntries(lower);
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
