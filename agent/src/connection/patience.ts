import type { Clock, Timer } from "../platform/clock.ts";

/** Waits for an answer: so long from the beginning, and again from each word that it will come. */
export class Patience {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onOver: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, ms: number, onOver: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#onOver = onOver;
  }

  /** From now on it counts. */
  begin(): void {
    this.#timer = this.#clock.after(this.#ms, this.#onOver);
  }

  /** The other side is still at it. Before the beginning, and after the end, it changes nothing. */
  extend(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.begin();
  }

  /** The answer is there. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
