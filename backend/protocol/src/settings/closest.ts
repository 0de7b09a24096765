import { distance } from "fastest-levenshtein";

/** More edits than these, or than a third of the name, and it is another word. */
const EDITS_MAX = 2;

/**
 * The one of `names` that somebody who wrote `text` probably meant; undefined when none is close.
 * Case, underscores and hyphens, which people vary first, do not count.
 */
export function closest(text: string, names: readonly string[]): string | undefined {
  const written = bare(text);
  const mostEdits = Math.min(EDITS_MAX, Math.ceil(written.length / 3));
  const ranked = names
    .map((name) => ({ name, edits: distance(written, bare(name)) }))
    .filter(({ edits }) => edits <= mostEdits)
    .sort((one, other) => one.edits - other.edits);
  return ranked[0]?.name;
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}
