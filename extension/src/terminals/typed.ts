import { plainKey } from "./numberedKeys.ts";

const ESC = "\u001B";
const PASTE_BEGIN = `${ESC}[200~`;
const PASTE_END = `${ESC}[201~`;
/**
 * What one key sends, with Alt and others held, too, and to programs that have asked for keys by their numbers; no answer
 * of a terminal, and no focus of a window, is of this form.
 */
const KEY = new RegExp(
  `^(?:\\r\\n|[^${ESC}]|${ESC}(?:[^[\\]OP^_X]?|O[A-Z]|\\[(?:1;[\\d:]+)?[A-DFHPQSZ]|\\[[\\d;:]+[u~]))$`,
  "u",
);
/** What a click into a line, or a wheel, sends: arrows in a row. */
const ARROWS = new RegExp(`^(?:${ESC}[[O][A-D])+$`);
/** Ctrl+C, where a program has not asked for keys by their numbers. */
const INTERRUPT = "\u0003";
/** What may begin something that is no text. */
const ESCAPES = anyOf(`${ESC}\u0080-\u009F`);
/** No answer of a terminal is longer. */
const ANSWER_MAX = 1_024;
/** What has a shell take a line, or ends what runs: Enter and its like, Ctrl+C, Ctrl+D, Ctrl+Z, Ctrl+\. */
const ENDS_LINE = anyOf("\r\n\u0003\u0004\u000F\u001A\u001C");
/** What the editor's terminal puts in the place of an escape that is pasted. */
const SHOWN_ESCAPE = "\u241B";

/** Whether this is what one key sends. */
export function isKey(input: string): boolean {
  return KEY.test(input);
}

/** Whether a terminal may have sent this by itself: everything with an escape in it that is neither a key nor a marked paste. */
export function isOwn(input: string): boolean {
  return !isPaste(input) && !isKey(input) && !ARROWS.test(input) && ESCAPES.test(input);
}

/** Whether this can be an answer of a terminal, or something else that nobody misses: what is longer, somebody has pasted. */
export function isAnswer(input: string): boolean {
  return input.length <= ANSWER_MAX && isOwn(input);
}

/** Whether this is Ctrl+C. */
export function isInterrupt(input: string): boolean {
  return plainKey(input) === INTERRUPT;
}

/** What a terminal sent. */
export type Typed =
  /** By itself, such as an answer to a program, or where its mouse is. */
  | { readonly kind: "own" }
  /**
   * Keys, in a form that each program knows, or a paste that goes as if it were typed; or `paste`, what its program has
   * asked to be told of as one. `endsLine` has a shell act, unless it knows pastes.
   */
  | {
      readonly kind: "keys" | "paste";
      readonly text: string;
      readonly lines: number;
      readonly endsLine: boolean;
    };

/**
 * What one message of the editor's terminal is. A terminal sends each answer, and each key, as a message of its own.
 * What could be an answer is one.
 */
export function typedOf(input: string): Typed {
  if (isPaste(input)) {
    const text = input.slice(PASTE_BEGIN.length, -PASTE_END.length).replaceAll(ESC, SHOWN_ESCAPE);
    return { kind: "paste", text, lines: linesOf(text), endsLine: ENDS_LINE.test(text) };
  }
  if (isOwn(input)) return { kind: "own" };
  const text = plainKey(input);
  return { kind: "keys", text, lines: linesOf(text), endsLine: ENDS_LINE.test(text) };
}

/** A paste for a program that wants it marked, or as if it were typed. */
export function pasted(text: string, isMarked: boolean): string {
  return isMarked ? `${PASTE_BEGIN}${text}${PASTE_END}` : text;
}

function isPaste(input: string): boolean {
  return input.startsWith(PASTE_BEGIN) && input.endsWith(PASTE_END);
}

/** How many lines a text has; an end of line at its end begins none. */
function linesOf(text: string): number {
  return text.replace(/(?:\r\n|\r|\n)$/, "").split(/\r\n|\r|\n/).length;
}

/** Finds any of these characters. */
function anyOf(characters: string): RegExp {
  return new RegExp(`[${characters}]`);
}
