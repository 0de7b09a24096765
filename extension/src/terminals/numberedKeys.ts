const ESC = "\u001B";

/**
 * A key as programs are told of it that have asked for the kitty keyboard protocol
 * (https://sw.kovidgoyal.net/kitty/keyboard-protocol/): its number, what is held with it plus one, and whether it is
 * pressed, goes on or is let go.
 */
const KEY = new RegExp(`^${ESC}\\[(\\d*)(?::\\d*)*(?:;(\\d*)(?::(\\d+))?(?:;[\\d:]*)?)?([u~A-Z])$`);
const LET_GO = "3";
/** Num Lock and Caps Lock, which say nothing. */
const LOCKS = 64 | 128;
const SHIFT = 1;
const CTRL = 4;
const LETTERS = { first: 97, last: 122 };
/** What has a control character with Ctrl, from `@` on. */
const CONTROLS = { first: 64, last: 126 };
const ENTERS: ReadonlySet<number> = new Set([13, 57_414]);
/** Keys that send nothing by themselves, such as Shift. */
const SILENT = { first: 57_441, last: 57_454 };
const LOCK_KEYS = { first: 57_358, last: 57_360 };
/** From here on the numbers are no characters. */
const FUNCTIONAL = 57_344;

/**
 * What a key sends to a program that has not asked for keys by their numbers, as far as it is a character, Enter, or a
 * letter with Shift or Ctrl; empty for a key that is let go, or sends nothing by itself. Everything else is answered as
 * it is.
 */
export function plainKey(input: string): string {
  const [, number = "", held = "", event, end] = KEY.exec(input) ?? [];
  if (event === LET_GO) return "";
  if (end !== "u") return input;
  const code = Number(number);
  if (isWithin(code, SILENT) || isWithin(code, LOCK_KEYS)) return "";
  if (ENTERS.has(code)) return "\r";
  if (code >= FUNCTIONAL || number === "") return input;
  const modifiers = (Number(held || "1") - 1) & ~LOCKS;
  const char = String.fromCharCode(code);
  if (modifiers === CTRL && isWithin(code, CONTROLS)) return String.fromCharCode(code & 0x1f);
  if (modifiers === SHIFT && isWithin(code, LETTERS)) return char.toUpperCase();
  return modifiers === 0 ? char : input;
}

function isWithin(code: number, { first, last }: typeof CONTROLS): boolean {
  return code >= first && code <= last;
}
