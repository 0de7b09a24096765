/** Takes back what programs leave on that were ended: the other screen, the mouse, marked pastes, a hidden cursor. */
export const TIDY = [
  "?1047l",
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
