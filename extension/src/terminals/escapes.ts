import { isClosedLink, isOfScheme } from "./closedLinks.ts";

const ESCAPE = "\u001B";
const BEL = "\u0007";
/** Begins an operating system command as one character of eight bits. */
const COMMAND = "\u009D";
/** What the editor's terminal takes out of its input before it looks. */
const BYTE_ORDER_MARK = "\uFEFF";
/** Gives up a sequence. */
const CANCEL = "\u0018";
const GIVES_UP: ReadonlySet<string> = new Set([CANCEL, "\u001A"]);
/** What ends a command and does nothing else. */
const ENDS: ReadonlySet<string> = new Set([BEL, CANCEL, "\u001A", "\u009C"]);
/** Behind an escape: makes a terminal as it was at its begin. */
const RESET = "c";
/** Asks a terminal whether it is well; the answer is `STATUS_ANSWER`. It looks at the first parameter alone. */
const STATUS_PARAMETER = /^5(?:[;:]|$)/;

/** Among the modes that a program sets or takes back: pastes are marked. */
const PASTE_MODE = /^\?(?:\d+;)*2004(?:;|$)/;
/** Before a `p`: takes all such modes back. */
const SOFT_RESET = /^(?:[\d;][\d;:]*)?!$/;

/** The command by which a program reads and writes the clipboard of whoever looks at it. */
const CLIPBOARD = 52;
/** The command that has text behind it lead somewhere; with an empty address, nowhere any more. */
const LINK = 8;
/** Longer begins of commands, such as one of zeros, are no program's: such a command is not shown. */
const WITHHELD_MAX = 64;
/** The same of a link, which may have a name before its address. */
const WITHHELD_OF_LINK_MAX = 512;

/**
 * Where a terminal stands that has read so far. Of a command's `number` it is not known yet whether it is `closed`, of
 * a `link`, its `address` and the `scheme` of that whether the link is `emptied`, of a `device` or an `application`
 * whether the `data` of it begins.
 */
type State =
  | "ground"
  | "escape"
  | "intermediate"
  | "sequence"
  | "number"
  | "command"
  | "closed"
  | "link"
  | "address"
  | "scheme"
  | "emptied"
  | "device"
  | "application"
  | "data"
  | "string";

/** How far the head of a sequence, or of a device's string, has come. */
type Part = "begin" | "parameters" | "intermediate" | "ignored";

/** What opens what, behind an escape. */
const OPENED: Readonly<Record<string, State>> = {
  "[": "sequence",
  "]": "number",
  P: "device",
  X: "string",
  "^": "string",
  _: "application",
};

/** The same as one character of eight bits, anywhere. All others of them lead to the ground. */
const OPENED_BY_ONE: Readonly<Record<string, State>> = {
  "\u009B": "sequence",
  [COMMAND]: "number",
  "\u0090": "device",
  "\u0098": "string",
  "\u009E": "string",
  "\u009F": "application",
};

/** Where nothing happens before one of these characters; in other states each character counts. */
const NEXT: Readonly<Partial<Record<State, RegExp>>> = {
  ground: anyOf("\u001B\u0090\u0098\u009B\u009D-\u009F"),
  command: anyOf("\u0007\u0018\u001A\u001B\u0080-\u009F"),
  closed: anyOf("\u0007\u0018\u001A\u001B\u0080-\u009F"),
  emptied: anyOf("\u0007\u0018\u001A\u001B\u0080-\u009F"),
  data: anyOf("\u0018\u001A\u001B\u0080-\u009F"),
  string: anyOf("\u0018\u001A\u001B\u0080-\uFEFE\uFF00-\uFFFF"),
};

/** Within a command of which it is not known yet whether, and how, the terminal is given it. */
const UNDECIDED: ReadonlySet<State> = new Set(["number", "link", "address", "scheme"]);
/** Within what the terminal is not given of a command. */
const TAKEN_OUT: ReadonlySet<State> = new Set(["closed", "emptied"]);
const WITHHELD: ReadonlySet<State> = new Set([...UNDECIDED, ...TAKEN_OUT]);

/** Longest head of which everything is remembered. */
const HEAD_MAX = 16;

/** Output that was read. */
export interface ReadOutput {
  /** What the terminal may be given of it, with what was withheld before. */
  readonly text: string;
  /** How often the program asked for the status in it. */
  readonly asked: number;
}

/**
 * Follows a program's output as the editor's terminal reads it (its states are those of a VT500): whether
 * something of ours may stand at its end, and how often the program asked the terminal for its status, which it answers
 * in turn with ours. Commands for the clipboard are taken out: the editor's terminal would obey them unasked. Links to
 * this computer lead nowhere: it would take them for what a person of this computer means, and not the host.
 */
export class Escapes {
  #state: State = "ground";
  #part: Part = "begin";
  #head = "";
  /** Of the command that was begun last; NaN: it has none. */
  #number = 0;
  /** The begin of a command, behind its escape, as long as it is not known which one it is. */
  #withheld = "";
  #takesPastes = false;

  /** Whether the program has asked for pastes to be marked. */
  get takesPastes(): boolean {
    return this.#takesPastes;
  }

  /** Whether what was read so far is complete. */
  get isComplete(): boolean {
    return this.#state === "ground";
  }

  /** Reads on. */
  read(output: string): ReadOutput {
    let asked = 0;
    let text = "";
    let from = 0;
    for (let at = this.#toNext(output, 0); at < output.length; at = this.#toNext(output, at + 1)) {
      const char = output.charAt(at);
      const before = this.#state;
      if (this.#take(char)) asked += 1;
      if (!WITHHELD.has(before) && !WITHHELD.has(this.#state)) continue;
      if (!WITHHELD.has(before)) text += output.slice(from, at);
      text += this.#pass(char, before);
      from = at + 1;
    }
    if (!WITHHELD.has(this.#state)) text += output.slice(from);
    return { text, asked };
  }

  #toNext(output: string, at: number): number {
    const pattern = NEXT[this.#state];
    if (pattern === undefined) return at;
    pattern.lastIndex = at;
    return pattern.exec(output)?.index ?? output.length;
  }

  /** What is shown of a character that has to do with a command that may be taken out, and of what was withheld. */
  #pass(char: string, before: State): string {
    const isBegin = this.#state === "number" && (before !== "number" || char === COMMAND);
    if (UNDECIDED.has(this.#state) && !isBegin) return this.#withhold(char);
    const begin = UNDECIDED.has(before) ? this.#beginShown(before) : "";
    const wasClosed = before === "closed" || this.#number === CLIPBOARD;
    this.#withheld = isBegin ? char : "";
    if (isBegin) this.#number = 0;
    const isTakenOut = TAKEN_OUT.has(this.#state) || (wasClosed && ENDS.has(char));
    return isBegin || isTakenOut ? begin : begin + char;
  }

  #withhold(char: string): string {
    this.#withheld += char;
    const isLink = this.#state !== "number";
    if (this.#withheld.length < (isLink ? WITHHELD_OF_LINK_MAX : WITHHELD_MAX)) return "";
    this.#state = isLink ? "emptied" : "closed";
    return isLink ? emptyLink(this.#withheld) : standIn(this.#withheld);
  }

  /** What is shown of the begin of a command that was withheld until now. */
  #beginShown(before: State): string {
    if (before === "number" && this.#number === CLIPBOARD) return standIn(this.#withheld);
    const isEmptied = before === "scheme" && this.#state !== "command";
    return isEmptied || this.#state === "emptied" ? emptyLink(this.#withheld) : this.#withheld;
  }

  /** Takes one character; whether it made the question for the status complete. */
  #take(char: string): boolean {
    if (char === ESCAPE) this.#enter("escape");
    else if (GIVES_UP.has(char)) this.#enter("ground");
    else if (char >= "\u0080" && char <= "\u009F") this.#enter(OPENED_BY_ONE[char] ?? "ground");
    else if (char === BYTE_ORDER_MARK) return false;
    else if (UNDECIDED.has(this.#state)) this.#takeOfBegin(char);
    // a letter beyond ASCII ends a string of no use
    else if (this.#state === "string" || isCommandEnd(this.#state, char)) this.#enter("ground");
    // a control is obeyed within a sequence, which goes on behind it
    else if (!isControl(char)) return this.#takeOfSequence(char);
    return false;
  }

  /** Of the begin of a command, in which controls count for nothing. */
  #takeOfBegin(char: string): void {
    if (char === BEL) this.#enter("ground");
    else if (char < " ") return;
    else if (this.#state === "number") this.#takeOfNumber(char);
    else if (this.#state !== "link") this.#takeOfAddress(char);
    else if (char === ";") this.#enter("address");
  }

  #takeOfNumber(char: string): void {
    if (char >= "0" && char <= "9") this.#number = this.#number * 10 + Number(char);
    else if (char !== ";") {
      this.#number = Number.NaN;
      this.#enter("command");
    } else if (this.#number === CLIPBOARD) this.#enter("closed");
    else this.#enter(this.#number === LINK ? "link" : "command");
  }

  #takeOfAddress(char: string): void {
    if (isOfScheme(char)) {
      this.#state = "scheme";
      if (this.#head.length < HEAD_MAX) this.#head += char;
    } else this.#enter(char === ":" && !isClosedLink(this.#head) ? "command" : "emptied");
  }

  #takeOfSequence(char: string): boolean {
    if (this.#state === "sequence" || this.#state === "device") return this.#takeOfHead(char);
    if (char >= " " && char <= "/") {
      if (this.#state === "escape") this.#enter("intermediate");
      return false;
    }
    if (this.#state === "application") this.#enter(char <= "~" ? "data" : "ground");
    else if (this.#state === "escape") {
      if (char === RESET) this.#takesPastes = false;
      this.#enter(OPENED[char] ?? "ground");
    } else this.#enter("ground");
    return false;
  }

  #takeOfHead(char: string): boolean {
    if (char > "~") {
      if (this.#part !== "ignored") this.#enter("ground");
      return false;
    }
    if (char >= "@") return this.#endHead(char);
    this.#part = partBehind(this.#part, char);
    // zeros before the first number say nothing
    const isNothing = this.#head === "" && char === "0";
    if (!isNothing && this.#head.length < HEAD_MAX) this.#head += char;
    return false;
  }

  #endHead(char: string): boolean {
    if (this.#state === "device") {
      if (this.#part !== "ignored") this.#enter("data");
      return false;
    }
    const isPlain = this.#part === "begin" || this.#part === "parameters";
    const isMode = isPlain && (char === "h" || char === "l");
    if (isMode && PASTE_MODE.test(this.#head)) this.#takesPastes = char === "h";
    if (char === "p" && SOFT_RESET.test(this.#head)) this.#takesPastes = false;
    const isQuestion = isPlain && char === "n" && STATUS_PARAMETER.test(this.#head);
    this.#enter("ground");
    return isQuestion;
  }

  #enter(state: State): void {
    this.#state = state;
    this.#part = "begin";
    this.#head = "";
  }
}

/** What the terminal is given in the place of a command: it is on the ground then, as behind the command. */
function standIn(begin: string): string {
  return begin.startsWith(COMMAND) ? CANCEL : "\\";
}

/** A link to nowhere, as far as to the address, in the place of one that was begun. */
function emptyLink(begin: string): string {
  return `${begin.charAt(0)}${LINK};;`;
}

function isCommandEnd(state: State, char: string): boolean {
  return (state === "command" || TAKEN_OUT.has(state)) && char === BEL;
}

/** How far a head has come with a character that does not end it. */
function partBehind(part: Part, char: string): Part {
  if (part === "ignored") return part;
  if (char <= "/") return "intermediate";
  const isPrefix = char >= "<";
  return part === "intermediate" || (isPrefix && part === "parameters") ? "ignored" : "parameters";
}

function isControl(char: string): boolean {
  return char < " " || char === "\u007F";
}

/** Finds any of these characters. */
function anyOf(characters: string): RegExp {
  return new RegExp(`[${characters}]`, "g");
}
