/** Controls, marks that turn the direction of text, and the ends of lines that are no line break. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;
/** The same, each by itself, without the line break. */
const UNPRINTABLE_IN_LINES = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Somebody else's text on one line, without what a terminal obeys. */
export function printableLine(text: string): string {
  return text.replace(UNPRINTABLE, " ");
}

/**
 * What a program is about to print for people: without what a terminal obeys, line breaks apart. Whatever
 * was put into it, by a peer or by another account, moves no cursor, names no window and copies nothing.
 */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE_IN_LINES, " ");
}

/** The same text for a line of JSON, whose reader gets back exactly what was put in. */
export function escapedInJson(json: string): string {
  return json.replace(UNPRINTABLE_IN_LINES, escaped);
}

function escaped(mark: string): string {
  // by units of 16 bits, as JSON counts
  return Array.from({ length: mark.length }, (_, at) => {
    return `\\u${mark.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
