import { beginningOf } from "@rport/protocol/ownText";
import { Redactor } from "../platform/redactor.ts";

/** Facts that somebody chose to record, one by one; never a whole request. Undefined: left out. */
export type Facts = Readonly<
  Record<string, string | number | boolean | null | readonly string[] | undefined>
>;

/** What one text in an entry takes at the most, in bytes of the line; longer ones are cut. */
export const TEXT_BYTES = 1_000;
/** What the texts and lists of `request` take together, and those of `response`. */
const FACTS_BYTES = 4_000;
/** Most elements of a list in an entry; of one that was cut, `<name>_total` says how many there are. */
const LIST_MAX = 64;
/** Two quotes and a comma. */
const AROUND_BYTES = 3;

const redactor = new Redactor();

/**
 * The facts as they are written: cleared of shapes of secrets, and cut to what an entry has room for,
 * the lists first. Whoever names things, an agent or a user, decides how long they are.
 */
export function writtenFacts(given: Facts = {}): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const lists: [name: string, list: readonly string[]][] = [];
  let left = FACTS_BYTES;
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "string") {
      const text = cut(redactor.field(name, cut(value)), Math.min(TEXT_BYTES, left));
      left -= bytesOf(text);
      kept[name] = text;
    } else if (isList(value)) {
      // In its place already; it gets what the texts leave.
      kept[name] = [];
      lists.push([name, value]);
    } else if (value !== undefined) kept[name] = value;
  }
  for (const [name, list] of lists) {
    const texts: string[] = [];
    for (const one of list.slice(0, LIST_MAX)) {
      const text = cut(redactor.text(cut(one)));
      left -= bytesOf(text) + AROUND_BYTES;
      if (left < 0) break;
      texts.push(text);
    }
    kept[name] = texts;
    if (texts.length < list.length) kept[`${name}_total`] = list.length;
  }
  return kept;
}

/**
 * As much of the text as takes that many bytes in JSON at the most. Well-formed, so that what is read
 * back equals what was written.
 */
export function cut(text: string, bytes = TEXT_BYTES): string {
  const short = beginningOf(text, bytes).toWellFormed();
  if (bytesOf(short) <= bytes) return short;
  let used = 0;
  let end = 0;
  for (const character of short) {
    used += bytesOf(character);
    if (used > bytes) break;
    end += character.length;
  }
  return beginningOf(short, end);
}

/** In JSON, without the quotes. */
function bytesOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

function isList(value: Facts[string]): value is readonly string[] {
  return Array.isArray(value);
}
