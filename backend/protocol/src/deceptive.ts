/**
 * Characters that nobody can see, or that change how others are shown: controls, line and paragraph
 * separators, marks of direction, tags, fillers, soft hyphens and joiners, and half characters.
 * What chooses the form of the character before it, as of an emoji, is none.
 */
const DECEPTIVE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u{FFF9}-\u{FFFB}]|(?![\u{FE00}-\u{FE0F}])\p{Default_Ignorable_Code_Point}/u;
/** The most harmful of them: no id that is kept has ever had one. */
const UNPRINTABLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{2069}\u{FEFF}]/u;
const ALL = new RegExp(DECEPTIVE, "gu");

/** Whether a text holds characters that nobody can see, or that change how others are shown. */
export function isDeceptive(text: string): boolean {
  return DECEPTIVE.test(text);
}

/**
 * Whether a text can be no id or name of anything, not even of what is kept already. The others that are
 * deceptive are written out where somebody reads them: a stricter rule would find what is kept unreadable.
 */
export function isUnprintable(text: string): boolean {
  return UNPRINTABLE.test(text);
}

/** The text without such characters. */
export function withoutDeceptive(text: string): string {
  return text.replaceAll(ALL, "");
}

/** The text with each such character written out, as `\u{202E}`. */
export function writtenOut(text: string): string {
  return text.replaceAll(ALL, codePoint);
}

function codePoint(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16).toUpperCase()}}`;
}
