import { isDeepStrictEqual } from "node:util";
import { parse, stringify, type TomlTable, type TomlValue } from "smol-toml";

/** A key of the file, by its names in small letters. */
export interface KeyPlace {
  readonly section: string;
  readonly key: string;
}

/** What may stand behind a key on one line: a text, a flag, or a list of texts. */
const VALUE =
  /("(?:[^"\\]|\\.)*"|'[^']*'|true|false|\[(?:\s*(?:"(?:[^"\\]|\\.)*"|'[^']*')\s*,?)*\s*\])/.source;

type KeyValue = string | boolean | readonly string[] | undefined;

/**
 * The text of `rport.conf` with another value of one key, or without that key where it is undefined, and nothing
 * else changed: comments, order and line ends stay. Whether a line was the right one is not guessed but
 * checked, by parsing the result. A file in which no single line holds the value is written anew from
 * what it means, without its comments. Undefined where the section is none, or the value cannot be
 * written as TOML; throws where the text is no TOML.
 */
export function withKey(text: string, place: KeyPlace, value: KeyValue): string | undefined {
  const wanted = changedTable(parse(text), place, value);
  if (wanted === undefined || isDeepStrictEqual(parse(text), wanted)) return wanted && text;
  const written = value === undefined ? undefined : render(value);
  const all = [...candidates(text, place, written), stringify(wanted)];
  return all.find((candidate) => isDeepStrictEqual(tryParse(candidate), wanted));
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

/** The file with one line changed, added or left out, for each line that might be the right one. */
function candidates(text: string, place: KeyPlace, written: string | undefined): string[] {
  const { section, key } = place;
  const heading = new RegExp(`^\\s*\\[\\s*["']?${section}["']?\\s*\\]`, "i");
  const names = `(?:${section}\\s*\\.\\s*)?(?:${key}|"${key}"|'${key}')`;
  const holding = new RegExp(`^(\\s*${names}\\s*=\\s*)${VALUE}`, "i");
  const lines = text.split("\n");
  const changed = lines.flatMap((line, index) => {
    if (holding.test(line)) {
      if (written === undefined) return [lines.toSpliced(index, 1).join("\n")];
      const replaced = line.replace(holding, (_match, before: string) => before + written);
      return [lines.with(index, replaced).join("\n")];
    }
    if (written === undefined || !heading.test(line)) return [];
    return [lines.toSpliced(index + 1, 0, `${key} = ${written}`).join("\n")];
  });
  if (written === undefined) return changed;
  const end = text === "" || text.endsWith("\n") ? "" : "\n";
  return [...changed, `${text}${end}\n[${section}]\n${key} = ${written}\n`];
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
