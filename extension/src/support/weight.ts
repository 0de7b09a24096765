/** What a number or nothing takes in its place, and what a text or an object takes beside what is in it. */
const PLACE_BYTES = 8;
const HEAD_BYTES = 16;
/** An object of ours has no more names; one with more, such as labels, shares them with no other. */
const SHARED_NAMES = 64;
/** What a name takes that is not shared. */
const NAME_BYTES = 24;

/**
 * The memory in bytes, in about, of a value that came as JSON: of many small values it is several times their
 * text, which alone would tell little. What JSON cannot hold counts as nothing is in it.
 */
export function weightOf(value: unknown): number {
  if (typeof value === "string") return PLACE_BYTES + HEAD_BYTES + value.length;
  if (typeof value !== "object" || value === null) return PLACE_BYTES;
  let bytes = PLACE_BYTES + HEAD_BYTES;
  if (Array.isArray(value)) {
    for (const each of value) bytes += weightOf(each);
    return bytes;
  }
  const entries = Object.entries(value);
  if (entries.length > SHARED_NAMES) bytes += entries.length * NAME_BYTES;
  for (const [name, each] of entries) bytes += PLACE_BYTES + name.length + weightOf(each);
  return bytes;
}
