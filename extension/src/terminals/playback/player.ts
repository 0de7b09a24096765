import { setImmediate } from "node:timers/promises";
import type { CastLine } from "@rport/protocol/terminal/asciicast";
import type { TerminalSize } from "@rport/protocol/terminal/terminal";
import type { Clock } from "../../support/clock.ts";
import { Screen } from "../screen.ts";

/** Longer pauses are played as this. */
export const PAUSE_MS = 2_000;
/**
 * Shorter waits are made up for later: a timer for each event would be slower than the recording. A size lasts
 * at least this long: the editor lays out all of a terminal's lines anew.
 */
const LEAST_MS = 10;
/** So much may be on its way to the screen. */
const AHEAD_BYTES = 256 << 10;

/** How fast it is played; 0: not now. */
export type Pace = 0 | 1 | 2 | 8;

/** What plays a recording. */
export interface PlayerDeps {
  /** Lines of the recording, in order. */
  readonly lines: AsyncIterable<readonly CastLine[]>;
  readonly clock: Clock;
  /** Hands text to the terminal. */
  readonly show: (text: string) => void;
  /** It was as large as this from now on. */
  readonly onSize: (size: TerminalSize) => void;
  /** What is shown where the recording itself says something. */
  readonly markText: (text: string) => string;
}

/**
 * Plays a recording in the time that it took, or faster, with long pauses shortened. Its output, and what it says
 * of itself, go the way of live output, as fast as the terminal takes them.
 */
export class Player {
  readonly #deps: PlayerDeps;
  readonly #screen: Screen;
  #pace: Pace = 1;
  /** Before a pause. */
  #last: Pace = 1;
  #shownTo = 0;
  /** Of the recording's time, what is to be waited for. */
  #owedMs = 0;
  #atMs = 0;
  #wake = () => {};
  #isOver = false;

  constructor(deps: PlayerDeps) {
    this.#deps = deps;
    this.#screen = new Screen({
      clock: deps.clock,
      show: deps.show,
      onShown: (offset) => {
        this.#shownTo = offset;
        this.#wake();
      },
    });
  }

  get pace(): Pace {
    return this.#pace;
  }

  /** Resolves when all was played, or nothing more is to be; rejects as the lines do. */
  async play(): Promise<void> {
    for await (const lines of this.#deps.lines) {
      for (const line of lines) {
        if (this.#isOver) return;
        await this.#playLine(line);
      }
      // whoever ends it has a turn, also of a recording in which there is nothing to wait for
      await setImmediate();
      if (this.#isOver) return;
    }
    this.#screen.flush();
  }

  /** Plays on at another pace. */
  setPace(pace: Pace): void {
    this.#pace = pace;
    if (pace !== 0) this.#last = pace;
    this.#wake();
  }

  /** Stops, or goes on as before. */
  togglePause(): void {
    this.setPace(this.#pace === 0 ? this.#last : 0);
  }

  /** What of a terminal's input are keys: answers to the recording's questions are nobody's, ours are taken out. */
  typed(text: string): string {
    return this.#screen.typed(text);
  }

  /** Plays no more. */
  end(): void {
    this.#isOver = true;
    this.#screen.end();
    this.#wake();
  }

  async #playLine(line: CastLine): Promise<void> {
    const isSize = line.kind === "header" || line.kind === "resize";
    const atMs = line.kind === "header" ? this.#atMs : line.atMs;
    const passedMs = Math.max(isSize ? LEAST_MS : 0, atMs - this.#atMs);
    this.#owedMs += Math.min(PAUSE_MS, passedMs);
    this.#atMs = Math.max(this.#atMs, atMs);
    await this.#wait();
    if (this.#isOver) return;
    if (isSize) {
      this.#screen.flush();
      this.#deps.onSize(line.size);
      return;
    }
    const { markText } = this.#deps;
    this.#screen.take(Buffer.from(line.kind === "mark" ? markText(line.text) : line.text));
  }

  async #wait(): Promise<void> {
    while (!this.#isOver && this.#hasToWait) {
      const pace = this.#pace;
      const { clock } = this.#deps;
      const startMs = clock.monotonic();
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      const isTimed = pace > 0 && this.#owedMs > 0;
      const timer = isTimed ? clock.after(this.#owedMs / pace, woken.resolve) : undefined;
      await woken.promise;
      timer?.cancel();
      this.#owedMs -= (clock.monotonic() - startMs) * pace;
    }
  }

  get #hasToWait(): boolean {
    if (this.#pace === 0 || this.#owedMs / this.#pace >= LEAST_MS) return true;
    return this.#screen.received - this.#shownTo > AHEAD_BYTES;
  }
}
