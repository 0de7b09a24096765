/** What begins something that is no text, where text is expected. */
const BEGINS = anyOf("\u001B\u0090\u0098\u009B\u009D\u009E\u009F");
/** What ends a string of a terminal, or gives it up. */
const ENDS_STRING = anyOf("\u0018\u001A\u001B\u009C");
/** The same for an operating system command, which a bell ends, too. */
const ENDS_COMMAND = anyOf("\u0007\u0018\u001A\u001B\u009C");
/** Behind an escape: makes a terminal as it was at its begin. */
const RESET = "c";
/** Asks a terminal whether it is well; the answer is `STATUS_ANSWER`. */
const STATUS_PARAMETER = "5";

/** Among the modes that a program sets or takes back: pastes are marked. */
const PASTE_MODE = /^\?(?:\d+;)*2004(?:;|$)/;

/** Where a terminal stands that has read so far. */
type State = "ground" | "escape" | "intermediate" | "sequence" | "command" | "string";

/** What opens what, behind an escape or as one character of eight bits. */
const OPENED: Readonly<Record<string, State>> = {
  "[": "sequence",
  "]": "command",
  P: "string",
  X: "string",
  "^": "string",
  _: "string",
  "\u009B": "sequence",
  "\u009D": "command",
  "\u0090": "string",
  "\u0098": "string",
  "\u009E": "string",
  "\u009F": "string",
};

/** What gives up a sequence. */
const GIVES_UP: ReadonlySet<string> = new Set(["\u0018", "\u001A"]);

/** Longest sequence of which the parameters are remembered. */
const PARAMETERS_MAX = 16;

/**
 * Follows a program's output as a terminal reads it: whether something of ours may stand at its end,
 * and how often the program asked the terminal for its status, which it answers in turn with ours.
 */
export class Escapes {
  #state: State = "ground";
  #parameters = "";
  #takesPastes = false;

  /** Whether the program has asked for pastes to be marked. */
  get takesPastes(): boolean {
    return this.#takesPastes;
  }

  /** Whether what was read so far is complete. */
  get isComplete(): boolean {
    return this.#state === "ground";
  }

  /** Reads on; answers how often the program asked for the status in this text. */
  read(text: string): number {
    let asked = 0;
    for (let at = 0; at < text.length; ) {
      if (this.#state === "ground") at = this.#toNext(text, at, BEGINS);
      else if (this.#state === "string") at = this.#toNext(text, at, ENDS_STRING);
      else if (this.#state === "command") at = this.#toNext(text, at, ENDS_COMMAND);
      const char = text[at];
      if (char === undefined) break;
      if (this.#take(char)) asked += 1;
      at += 1;
    }
    return asked;
  }

  #toNext(text: string, at: number, pattern: RegExp): number {
    pattern.lastIndex = at;
    return pattern.exec(text)?.index ?? text.length;
  }

  /** Takes one character; whether it made the question for the status complete. */
  #take(char: string): boolean {
    if (char === "\u001B") {
      this.#enter("escape");
      return false;
    }
    const opened = this.#state === "ground" || this.#state === "escape" ? OPENED[char] : undefined;
    if (opened !== undefined) {
      this.#enter(opened);
      return false;
    }
    if (this.#state === "sequence") return this.#takeOfSequence(char);
    if (this.#state === "escape" && char === RESET) this.#takesPastes = false;
    const isWithin = this.#state === "escape" || this.#state === "intermediate";
    // a control is obeyed within a sequence, which goes on behind it
    if (isWithin && isControl(char)) return false;
    this.#enter(isWithin && char >= " " && char <= "/" ? "intermediate" : "ground");
    return false;
  }

  #takeOfSequence(char: string): boolean {
    if (char >= "@" && char <= "~") {
      const isQuestion = char === "n" && this.#parameters === STATUS_PARAMETER;
      const isMode = char === "h" || char === "l";
      if (isMode && PASTE_MODE.test(this.#parameters)) this.#takesPastes = char === "h";
      this.#enter("ground");
      return isQuestion;
    }
    const opened = OPENED[char];
    if (char >= "\u0080" && opened !== undefined) this.#enter(opened);
    else if (GIVES_UP.has(char) || char >= "\u0080") this.#enter("ground");
    else if (isControl(char)) return false;
    else if (this.#parameters.length < PARAMETERS_MAX) this.#parameters += char;
    return false;
  }

  #enter(state: State): void {
    this.#state = state;
    this.#parameters = "";
  }
}

function isControl(char: string): boolean {
  return (char < " " && !GIVES_UP.has(char)) || char === "\u007F";
}

/** Finds any of these characters. */
function anyOf(characters: string): RegExp {
  return new RegExp(`[${characters}]`, "g");
}
