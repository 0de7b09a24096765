import { z } from "zod";

/**
 * RPort's reader takes a value of one type for another where its meaning is clear: a number for a
 * text, `"true"` for true, `"a,b"` or a single value for a list. These take what that reader takes.
 */

/** What Go's `strconv.ParseBool` reads. */
const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["", "0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);
/** A field of a line of comma-separated values that stands in quotes, up to what ends it. */
const QUOTED = /\s*"([^"]*(?:""[^"]*)*)"\s*(?=,|$)/y;

/** A text; a number or a truth value counts as what one would write. */
export function weakText<T extends z.ZodType>(schema: T) {
  return z.preprocess(toText, schema);
}

/** True or false, or a text or a number that means one of them. */
export function weakFlag() {
  return z.preprocess((value) => {
    if (typeof value === "number") return value !== 0;
    return typeof value === "string" ? (FLAGS.get(value) ?? value) : value;
  }, z.boolean());
}

/** A whole number within bounds; a text that is one counts as it. */
export function weakCount(min: number, max: number) {
  const isWritten = (value: unknown) => typeof value === "string" && /^[0-9]{1,9}$/.test(value);
  const count = z.custom<number>(
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    `must be a whole number from ${min} to ${max}`,
  );
  return z.preprocess((value) => (isWritten(value) ? Number(value) : value), count);
}

/** A list of what `item` takes; one text is read as comma-separated values, `[` and `]` allowed. */
export function weakList<T extends z.ZodType>(item: T, max: number) {
  return z.preprocess(toList, z.array(weakText(item)).max(max));
}

/** A table of texts; an empty list is an empty table. */
export function weakTable<T extends z.ZodType<string>>(item: T) {
  const isNothing = (value: unknown) => Array.isArray(value) && value.length === 0;
  const table = z.record(z.string().max(4_000), weakText(item));
  return z.preprocess((value) => (isNothing(value) ? {} : value), table);
}

function toText(value: unknown): unknown {
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "number" || typeof value === "bigint" ? String(value) : value;
}

function toList(value: unknown): unknown {
  if (typeof value === "string") return fieldsOf(value.replace(/^\[/, "").replace(/\]$/, ""));
  return typeof value === "number" || typeof value === "boolean" ? [value] : value;
}

function fieldsOf(line: string): readonly string[] {
  const fields: string[] = [];
  if (line.trim() === "") return fields;
  let at = 0;
  for (;;) {
    const { text, end } = fieldAt(line, at);
    fields.push(text);
    if (end === line.length) return fields;
    at = end + 1;
  }
}

/** What stands up to the next comma, which a quote that nothing closes does not keep from being one. */
function fieldAt(line: string, at: number): { readonly text: string; readonly end: number } {
  QUOTED.lastIndex = at;
  const [whole = "", quoted] = QUOTED.exec(line) ?? [];
  if (quoted !== undefined) return { text: quoted.replaceAll('""', '"'), end: at + whole.length };
  const comma = line.indexOf(",", at);
  const end = comma < 0 ? line.length : comma;
  return { text: line.slice(at, end).trim(), end };
}
