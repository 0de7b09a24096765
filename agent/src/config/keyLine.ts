import { isDeepStrictEqual } from "node:util";
import { parse, stringify, type TomlTable, type TomlValue } from "smol-toml";

/** A key of the file, by its names in small letters. */
export interface KeyPlace {
  readonly section: string;
  readonly key: string;
}

/**
 * What may stand behind a key on one line: a text, a flag, or a list of texts. Blanks are matched in one way each: in
 * two, a line that ends otherwise is tried in every combination of them.
 */
const VALUE =
  /("(?:[^"\\]|\\.)*"|'[^']*'|true|false|\[\s*(?:(?:"(?:[^"\\]|\\.)*"|'[^']*')\s*(?:,\s*)?)*\])/
    .source;
/** So many lines are tried; each costs a copy of the file, and reading it. */
const TRIES = 32;

type KeyValue = string | boolean | readonly string[] | undefined;

/**
 * The text of `rport.conf` with another value of one key, or without that key where it is undefined, and nothing
 * else changed: comments, order and line ends stay. Whether a line was the right one is not guessed but
 * checked, by parsing the result. A file in which no single line holds the value, or too many seem to, is written anew
 * from what it means, without its comments. Undefined where the section is none, or the value cannot be
 * written as TOML; throws where the text is no TOML.
 */
export function withKey(text: string, place: KeyPlace, value: KeyValue): string | undefined {
  const wanted = changedTable(parse(text), place, value);
  if (wanted === undefined || isDeepStrictEqual(parse(text), wanted)) return wanted && text;
  const written = value === undefined ? undefined : render(value);
  for (const candidate of candidates(text, place, written)) {
    if (isDeepStrictEqual(tryParse(candidate), wanted)) return candidate;
  }
  const rewritten = stringify(wanted);
  return isDeepStrictEqual(tryParse(rewritten), wanted) ? rewritten : undefined;
}

function changedTable(
  table: TomlTable,
  { section, key }: KeyPlace,
  value: KeyValue,
): TomlTable | undefined {
  const name = nameIn(table, section);
  const found = table[name];
  if (found === undefined && value === undefined) return table;
  // The parser makes tables without what other objects have.
  const changed = found ?? parse("");
  if (!isTable(changed)) return undefined;
  if (value === undefined) delete changed[nameIn(changed, key)];
  else changed[nameIn(changed, key)] = typeof value === "object" ? [...value] : value;
  table[name] = changed;
  return table;
}

/** The file with one line changed, added or left out, for each of the first lines that might be the right one. */
function* candidates(text: string, place: KeyPlace, written: string | undefined) {
  const { section, key } = place;
  const lines = text.split("\n");
  const lineChange = lineChanges(place, written);
  let tries = 0;
  for (const [index, line] of lines.entries()) {
    const changed = lineChange(line);
    if (changed === undefined) continue;
    yield lines.toSpliced(index, 1, ...changed).join("\n");
    tries += 1;
    if (tries === TRIES) break;
  }
  if (written === undefined) return;
  const end = text === "" || text.endsWith("\n") ? "" : "\n";
  yield `${text}${end}\n[${section}]\n${key} = ${written}\n`;
}

/** What stands in the place of a line that holds the value or begins its section; undefined for any other. */
function lineChanges({ section, key }: KeyPlace, written: string | undefined) {
  const heading = new RegExp(`^\\s*\\[\\s*["']?${section}["']?\\s*\\]`, "i");
  const names = `(?:${section}\\s*\\.\\s*)?(?:${key}|"${key}"|'${key}')`;
  const holding = new RegExp(`^(\\s*${names}\\s*=\\s*)${VALUE}`, "i");
  return (line: string): readonly string[] | undefined => {
    if (holding.test(line)) {
      if (written === undefined) return [];
      return [line.replace(holding, (_match, before: string) => before + written)];
    }
    if (written === undefined || !heading.test(line)) return undefined;
    return [line, `${key} = ${written}`];
  };
}

/** A name as the file writes it: RPort's reader ignores case. */
function nameIn(table: object, name: string): string {
  return Object.keys(table).find((key) => key.toLowerCase() === name) ?? name;
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}

function tryParse(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** TOML's own form of a text is JSON's, with DEL escaped as well, which TOML does not take bare. */
function render(value: NonNullable<KeyValue>): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
  return `[${value.map(render).join(", ")}]`;
}
