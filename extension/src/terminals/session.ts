import {
  type Attached,
  TERMINAL,
  type TerminalEnd,
  type TerminalSize,
  type TerminalWish,
} from "@rport/protocol/terminal/terminal";
import { t } from "@vscode/l10n";
import { endText } from "../model/terminals/endText.ts";
import type { Clock, Timer } from "../support/clock.ts";
import { inertLine } from "../support/text.ts";
import type { Dial } from "./link.ts";
import { plainKey } from "./numberedKeys.ts";
import { TIDY } from "./tidy.ts";
import { isKey, isOwn, pasted } from "./typed.ts";
import { Viewer, type ViewerEnd, type ViewerState } from "./viewer.ts";

/** What a terminal has whose size nobody has told yet, as all have had. */
const USUAL_SIZE: TerminalSize = { cols: 80, rows: 24 };
/** A terminal that is shown is told its size by then. */
const SIZE_MS = 150;
/** Keys that were meant for the program come so long after its end, or after each other. */
const SLIP_MS = 500;
/** That nothing more is sent is not told more often. */
const TELL_MS = 10_000;
const ESC = "\u001B";
const ENTER = /^\r?\n?$/;
/** Makes a terminal as it was at its begin. */
const CLEAR = `${ESC}c`;

/** What stands in for the editor's terminal. */
export interface SessionDeps {
  /** The shell that is begun, or the one that is there. */
  readonly wish: TerminalWish;
  /** The shell that is begun when somebody wants another one. */
  readonly again: TerminalWish;
  readonly dial: Dial;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly show: (text: string) => void;
  /** Whether the way to the host is cut, and why; undefined: it is not. */
  readonly onCut: (reason: string | undefined) => void;
  readonly onAttached: (attached: Attached) => void;
  /** There is nothing at the host that could be come back to. */
  readonly onGone: () => void;
  /** Something that a person has to be told. */
  readonly onTold: (sentence: string) => void;
  /** The terminal is to go from the window; undefined: without a word about its exit code. */
  readonly finish: (exitCode: number | undefined) => void;
}

/** One terminal in the window: a shell of a host, and the next one when somebody starts it again. */
export class Session {
  readonly #deps: SessionDeps;
  #wish: TerminalWish;
  #viewer: Viewer | undefined;
  #size: TerminalSize | undefined;
  #begin: Timer | undefined;
  /** Keys are not for its program any more. */
  #isOver = false;
  /** When the last thing happened that a key may still have been meant for: its end, or what somebody typed or pasted. */
  #busyAtMs: number | undefined;
  /** It goes when no key has come for a while. */
  #going: Timer | undefined;
  #isCut = false;
  /** The screen has what is shown again when it is back. */
  #isTakenBack = false;
  #isToldRecorded = false;
  #toldFullAtMs: number | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#wish = deps.wish;
  }

  /** Whether the host can be told something now. */
  get isAttached(): boolean {
    return this.#viewer?.state.kind === "attached";
  }

  /** The terminal is there; one that nobody looks at yet has no size. */
  open(size: TerminalSize | undefined): void {
    this.#size = size === undefined ? undefined : bounded(size);
    if (this.#size !== undefined) this.#start();
    else this.#begin = this.#deps.clock.after(SIZE_MS, () => this.#start());
  }

  /** It is as large as this from now on. */
  resize(size: TerminalSize): void {
    this.#size = bounded(size);
    if (this.#begin !== undefined) this.#start();
    else this.#viewer?.resize(this.#size);
  }

  /** What the terminal sends. After the end, Enter starts a shell again and any other key closes, if it was meant to. */
  type(text: string): void {
    const isSlip = this.#isSlip;
    const isTyped = text !== "" && !isOwn(text);
    if (isTyped) this.#busyAtMs = this.#deps.clock.monotonic();
    if (this.#going !== undefined) {
      if (isTyped) this.#go();
    } else if (this.#isOver) {
      const key = plainKey(text);
      if (!isSlip && isKey(key)) this.#decide(key);
    } else if (this.#viewer?.type(text) === false) this.#tellFull();
  }

  /** A paste into another terminal goes here, too, in the way this one's program has asked for. */
  paste(text: string): void {
    this.type(pasted(text, this.#viewer?.takesPastes ?? false));
  }

  /** There is a reason to hope, or to doubt. */
  nudge(): void {
    this.#viewer?.nudge();
  }

  /** Nothing may go to the host now, for a reason; it is tried again later. */
  interrupt(reason: string): void {
    this.#viewer?.interrupt(reason);
  }

  /** There is no way to the host any more, which is said in the terminal. */
  refuse(reason: string): void {
    this.#viewer?.refuse(reason);
  }

  /** Ends the shell at the host. */
  close(): void {
    this.#stop();
    this.#viewer?.close();
  }

  /** Leaves it there, for whoever comes back. */
  detach(): void {
    this.#stop();
    this.#viewer?.detach();
  }

  /** A shell that was about to begin is not begun, and a terminal that was about to go does not by itself. */
  #stop(): void {
    this.#begin?.cancel();
    this.#begin = undefined;
    this.#going?.cancel();
    this.#going = undefined;
  }

  /** Somebody is typing: a key that comes now was meant for what was there. */
  get #isSlip(): boolean {
    const { clock } = this.#deps;
    return this.#busyAtMs !== undefined && clock.monotonic() - this.#busyAtMs < SLIP_MS;
  }

  /** It goes, once whoever types has noticed: else the rest went to the terminal that has the keys then. */
  #go(): void {
    this.#going?.cancel();
    this.#going = this.#deps.clock.after(SLIP_MS, () => this.#deps.finish(0));
  }

  #start(): void {
    this.#stop();
    this.#isOver = false;
    this.#isToldRecorded = false;
    const { dial, clock, random, show } = this.#deps;
    const viewer: Viewer = new Viewer({
      wish: this.#wish,
      size: this.#size ?? USUAL_SIZE,
      dial,
      clock,
      random,
      show,
      onState: (state) => this.#follow(state),
    });
    this.#viewer = viewer;
  }

  #follow(state: ViewerState): void {
    if (state.kind === "attached") {
      if (this.#isTakenBack) this.#deps.show(CLEAR);
      this.#isTakenBack = false;
      if (state.attached.recorded === true) this.#tellRecorded();
      this.#deps.onAttached(state.attached);
    }
    if (state.kind === "waiting") this.#cut(state.reason);
    else if (state.kind !== "connecting") this.#cut(undefined);
    if (state.kind === "over") this.#finish(state.end);
  }

  #tellFull(): void {
    const nowMs = this.#deps.clock.monotonic();
    if (this.#toldFullAtMs !== undefined && nowMs - this.#toldFullAtMs < TELL_MS) return;
    this.#toldFullAtMs = nowMs;
    this.#deps.onTold(
      t("The host takes no more for now: what you typed or pasted was not sent to it."),
    );
  }

  /** Before anything else is on the screen; once for each shell. */
  #tellRecorded(): void {
    if (this.#isToldRecorded) return;
    this.#isToldRecorded = true;
    const line = t("The server records what this terminal shows, not what is typed.");
    this.#deps.show(`\u001B[7m ${line} \u001B[0m\r\n`);
  }

  #cut(reason: string | undefined): void {
    if (reason === undefined && !this.#isCut) return;
    this.#isCut = reason !== undefined;
    this.#deps.onCut(reason);
  }

  #finish(end: ViewerEnd): void {
    if (end.kind === "left") return;
    // whoever took it over has it in mind from now on
    this.#deps.onGone();
    if (end.kind === "ended" && hasGoneWell(end.end)) {
      if (this.#isSlip) this.#go();
      else this.#deps.finish(0);
      return;
    }
    const id = this.#viewer?.id;
    const isThere = end.kind === "takenOver" && id !== undefined;
    this.#wish = isThere ? { kind: "resume", id } : this.#deps.again;
    this.#isTakenBack = isThere;
    this.#isOver = true;
    this.#busyAtMs = this.#deps.clock.monotonic();
    const keys = isThere
      ? t("Press Enter to have it back, any other key to close.")
      : t("Press Enter to start again, any other key to close.");
    const line = t("Session ended: {0}", whyOf(end));
    this.#deps.show(`${TIDY}\r\n\u001B[7m ${line} \u001B[0m\r\n${keys}\r\n`);
  }

  #decide(key: string): void {
    if (!ENTER.test(key)) {
      this.#deps.finish(undefined);
      return;
    }
    this.#deps.show("\r\n");
    this.#start();
  }
}

function whyOf(end: Exclude<ViewerEnd, { readonly kind: "left" }>): string {
  if (end.kind === "ended") return endText(end.end);
  return end.kind === "takenOver" ? t("It goes on in another window.") : inertLine(end.reason);
}

function hasGoneWell({ how, code }: TerminalEnd): boolean {
  return how === "exit" && (code ?? 0) === 0;
}

function bounded({ cols, rows }: TerminalSize): TerminalSize {
  const within = (count: number) => Math.min(Math.max(Math.trunc(count), 1), TERMINAL.sizeMax);
  return { cols: within(cols), rows: within(rows) };
}
