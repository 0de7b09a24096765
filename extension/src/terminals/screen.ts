import { PACKET_DATA_BYTES } from "@rport/protocol/terminal/frame";
import type { Clock, Timer } from "../support/clock.ts";
import { Escapes } from "./escapes.ts";

/** Output is gathered this long, so that many small pieces cost the editor one message. */
const BATCH_MS = 6;
/** With so much at hand there is nothing to wait for: as a host sends it at once. */
const BATCH_BYTES = 2 * PACKET_DATA_BYTES;
/** After so much output the terminal is asked whether it has come that far. */
const ASK_BYTES = 48 << 10;
/** A terminal that has not answered in this time is not asked again before it does. */
const ANSWER_MS = 2_000;
/** What the terminal cannot be asked about is confirmed at this pace: no slower than it reads, and no flood. */
const PACE_BYTES = 64 << 10;
const PACE_MS = 50;
const ESC = "\u001B";
/** Gives up a sequence that is not complete. */
const CANCEL = "\u0018";
const BEL = "\u0007";
/** Asks a terminal for its status; it answers when it has come to this. */
const STATUS_QUESTION = `${ESC}[5n`;
/** A terminal's answer to it. */
const STATUS_ANSWER = `${ESC}[0n`;
/** What terminals answer to questions of programs: what they are and can, where the cursor is, how keys are told, which colours. */
const ANSWERS = new RegExp(
  `${ESC}\\[[?>]?[\\d;]*(?:c|n|R|t|\\$y)|${ESC}\\[\\?\\d*u|${ESC}[P\\]][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)`,
  "g",
);

/** What the editor's terminal answers to a program that asks for the clipboard. Programs are not let ask: it is nobody's. */
const CLIPBOARD_ANSWER = new RegExp(
  `${ESC}\\]0*52;[^${BEL}${ESC}\u009C]*(?:${BEL}|${ESC}\\\\|\u009C)`,
  "g",
);

/** Where output that begins anywhere may be shown from: the end of a sequence, a line, or the begin of one. */
const BOUNDARY = new RegExp(`${BEL}|(?=[${ESC}\\r\\n])`);

/** What a screen needs. */
export interface ScreenDeps {
  readonly clock: Clock;
  /** Hands text to the terminal. */
  readonly show: (text: string) => void;
  /** All output before this offset was shown. */
  readonly onShown: (offset: number) => void;
}

/** A question of ours for the status that the terminal has not answered. */
interface Question {
  /** How often the program asked since our last one, and was not answered. */
  asked: number;
  /** The output before it. */
  readonly shownTo: number;
  /** Nobody waits for the answer any more. */
  isForgotten: boolean;
}

/**
 * The output of one terminal on its way to the editor, which takes everything at once and tells nobody
 * how far it has come: so its terminal itself is asked, in what it is given, and its answer is
 * taken out of the input. What it has not reached is not called shown, and the host waits: else a
 * flood would go on for long on the screen after its program was stopped. Where it cannot be asked, because a
 * sequence has no end or it does not answer, output is called shown at a pace.
 */
export class Screen {
  readonly #deps: ScreenDeps;
  readonly #escapes = new Escapes();
  /** Few, as each of them stands behind much output. */
  readonly #questions: Question[] = [];
  /** How often the program asked since the last of them, and was not answered. */
  #asked = 0;
  #decoder = new TextDecoder();
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** Output that was handed to the terminal. */
  #handed = 0;
  /** Where the last question stands. */
  #askedAt = 0;
  #told = 0;
  #isDeaf = false;
  /** What comes next may begin within a sequence, whose rest is no text. */
  #isAmidst = false;
  /** Output before it was shown to somebody once; undefined: the terminal has got over that. */
  #replayedTo: number | undefined;
  #batch: Timer | undefined;
  #patience: Timer | undefined;
  #pace: Timer | undefined;
  #isOver = false;

  constructor(deps: ScreenDeps) {
    this.#deps = deps;
  }

  /** Output that came, whether it was handed on or not. */
  get received(): number {
    return this.#handed + this.#pieceBytes;
  }

  /** Whether the program has asked for pastes to be marked, as far as its output says. */
  get takesPastes(): boolean {
    return this.#escapes.takesPastes;
  }

  /** Output goes on at this offset, which is not where it stopped: what was between is gone. */
  skipTo(offset: number): void {
    this.flush();
    this.#decoder = new TextDecoder();
    if (!this.#escapes.isComplete) this.#show(CANCEL);
    this.#isAmidst = true;
    this.#handed = offset;
    this.#askedAt = offset;
    this.#told = offset;
  }

  /** Output before this offset was shown before: what programs ask in it was answered then. */
  replaysTo(offset: number): void {
    this.#replayedTo = offset > this.received ? offset : undefined;
  }

  /** The next bytes. The first after a pause are shown at once: people wait for their echo. */
  take(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
    if (this.#batch === undefined || this.#pieceBytes >= BATCH_BYTES) this.flush();
  }

  /** Shows what is at hand. */
  flush(): void {
    this.#batch?.cancel();
    this.#batch = undefined;
    if (this.#pieceBytes === 0 || this.#isOver) return;
    const text = this.#decoder.decode(Buffer.concat(this.#pieces), { stream: true });
    this.#handed += this.#pieceBytes;
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#show(this.#isAmidst ? fromBoundary(text) : text);
    this.#isAmidst = false;
    this.#batch = this.#deps.clock.after(BATCH_MS, () => {
      this.#batch = undefined;
      this.flush();
    });
  }

  /** What somebody typed of what the terminal sends: without its answers to us, to questions of before, and what the clipboard has. */
  typed(input: string): string {
    const wasReplaying = this.#replayedTo !== undefined;
    const text = input.replace(CLIPBOARD_ANSWER, "");
    const [first = "", ...others] = text.split(STATUS_ANSWER);
    const typed = others.reduce(
      (all, part) => `${all}${this.#answered() ? "" : STATUS_ANSWER}${part}`,
      first,
    );
    return wasReplaying ? typed.replace(ANSWERS, "") : typed;
  }

  /** Shows what is at hand, and no more. */
  end(): void {
    this.flush();
    this.#isOver = true;
    this.#batch?.cancel();
    this.#patience?.cancel();
    this.#pace?.cancel();
  }

  #show(output: string): void {
    const { text, asked } = this.#escapes.read(output);
    this.#asked += asked;
    const asks = this.#isDue() && this.#escapes.isComplete;
    if (asks) this.#ask();
    const shown = asks ? `${text}${STATUS_QUESTION}` : text;
    if (shown !== "") this.#deps.show(shown);
    if (!this.#isAnswerOpen) this.#confirm();
  }

  /** Nothing is asked: all of it was shown, unless it is more than should have been asked about. */
  #confirm(): void {
    if (this.#handed - this.#askedAt < ASK_BYTES) this.#tell(this.#handed);
    else if (this.#pace === undefined) {
      // whoever is told may send more at once
      this.#pace = this.#deps.clock.after(PACE_MS, () => {
        this.#pace = undefined;
        if (this.#told < this.#handed && !this.#isAnswerOpen) this.#confirm();
      });
      this.#tell(Math.min(this.#handed, this.#told + PACE_BYTES));
    }
  }

  #isDue(): boolean {
    const replayed = this.#replayedTo;
    if (replayed !== undefined && this.#askedAt < replayed && this.#handed >= replayed) return true;
    return !this.#isDeaf && this.#handed - this.#askedAt >= ASK_BYTES;
  }

  #ask(): void {
    this.#askedAt = this.#handed;
    this.#questions.push({ asked: this.#asked, shownTo: this.#handed, isForgotten: false });
    this.#asked = 0;
    if (this.#patience === undefined) this.#wait();
  }

  #wait(): void {
    this.#patience?.cancel();
    this.#patience = this.#deps.clock.after(ANSWER_MS, () => this.#goOn());
  }

  get #isAnswerOpen(): boolean {
    return this.#questions.some(({ isForgotten }) => !isForgotten);
  }

  /** The terminal has answered one question; whether it was ours. */
  #answered(): boolean {
    const [first] = this.#questions;
    if (first === undefined || first.asked > 0) {
      if (first !== undefined) first.asked -= 1;
      else if (this.#asked > 0) this.#asked -= 1;
      return false;
    }
    const { shownTo } = first;
    this.#questions.shift();
    this.#isDeaf = false;
    this.#hasReached(shownTo);
    if (this.#isAnswerOpen) {
      this.#wait();
      this.#tell(shownTo);
    } else {
      this.#patience?.cancel();
      this.#patience = undefined;
      this.#tell(this.#handed);
    }
    return true;
  }

  /**
   * A terminal that does not answer keeps nothing from going on. One that is late may still answer what
   * was asked before: that it has got over a replay only its answer to us tells.
   */
  #goOn(): void {
    this.#patience = undefined;
    this.#isDeaf = true;
    for (const question of this.#questions) question.isForgotten = true;
    this.#confirm();
  }

  #hasReached(offset: number): void {
    if (this.#replayedTo !== undefined && offset >= this.#replayedTo) this.#replayedTo = undefined;
  }

  #tell(offset: number): void {
    if (offset <= this.#told || this.#isOver) return;
    this.#told = offset;
    this.#deps.onShown(offset);
  }
}

/** Without what may be the rest of a sequence; a text that has no boundary is shown as it is. */
function fromBoundary(text: string): string {
  const boundary = BOUNDARY.exec(text);
  return boundary === null ? text : text.slice(boundary.index + boundary[0].length);
}
