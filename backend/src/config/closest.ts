/** More edits than these, and it is another word. */
const EDITS_MAX = 2;

/** The one of `names` that somebody who wrote `text` probably meant. */
export function closest(text: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, edits: editsBetween(text.toLowerCase(), name) }))
    .filter(({ edits }) => edits <= EDITS_MAX)
    .sort((one, other) => one.edits - other.edits);
  return ranked[0]?.name;
}

/** Insertions, deletions and replacements that make one text the other (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...one].entries()) {
    const line = [row + 1];
    for (let column = 0; column < other.length; column += 1) {
      const replaced = (above[column] ?? 0) + (other[column] === letter ? 0 : 1);
      line.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1));
    }
    above = line;
  }
  return above[other.length] ?? 0;
}
