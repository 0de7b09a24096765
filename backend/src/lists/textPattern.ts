/** Tells whether a text fits. The text must be in lower case already. */
export type TextPattern = (lower: string) => boolean;

/**
 * A pattern in which `*` stands for any run of characters and everything else for itself, without
 * regard to case. No pattern from outside becomes a regular expression, so none can be slow: each
 * part is searched once, left to right, and the time grows with the lengths only.
 */
export function textPattern(pattern: string): TextPattern {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  if (last === undefined) return (lower) => lower === first;
  const middle = rest.filter((part) => part !== "");
  return (lower) => {
    if (!lower.startsWith(first) || !lower.endsWith(last)) return false;
    const at = afterParts(lower, middle, first.length);
    return at !== undefined && at <= lower.length - last.length;
  };
}

/**
 * Where the text goes on after all `parts`, found in order from `start`; undefined if one lacks.
 */
function afterParts(text: string, parts: readonly string[], start: number): number | undefined {
  let at = start;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return undefined;
    at = found + part.length;
  }
  return at;
}
