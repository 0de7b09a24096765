import { distance } from "fastest-levenshtein";

/** More edits than these, and it is another word. */
const EDITS_MAX = 2;

/**
 * The one of `names` that somebody who wrote `text` probably meant; undefined when none is close.
 */
export function closest(text: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, edits: distance(text.toLowerCase(), name) }))
    .filter(({ edits }) => edits <= EDITS_MAX)
    .sort((one, other) => one.edits - other.edits);
  return ranked[0]?.name;
}
