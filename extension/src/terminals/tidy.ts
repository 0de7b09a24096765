/** No key by its number (the kitty keyboard protocol). */
const PLAIN_KEYS = "=0u";

/**
 * Takes back what programs leave on that were ended: keys by their numbers, which each of the two screens has for itself,
 * the other screen, the mouse, marked pastes, a hidden cursor.
 */
export const TIDY = [
  PLAIN_KEYS,
  "?1047l",
  PLAIN_KEYS,
  "?1000l",
  "?1002l",
  "?1003l",
  "?1006l",
  "?1004l",
  "?2004l",
  "?1l",
  "?25h",
  "0m",
]
  .map((code) => `\u001B[${code}`)
  .join("");
