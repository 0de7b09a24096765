/** All of ASCII is lower-cased as it is, which counts at 10,000 hosts. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are ASCII, too
const ASCII = /^[\u0000-\u007F]*$/;

/** A text with which others are compared: case and accents do not matter. */
export function folded(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
}
