import type { Clock, Timer } from "../platform/clock.ts";

/** Tells when nothing has happened for a time. */
export class Idleness {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  #lastMs: number;
  #timer: Timer | undefined;

  /** `idleMs` 0: never. */
  constructor(clock: Clock, idleMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    this.#lastMs = clock.monotonic();
    if (idleMs > 0) this.#wait(idleMs);
  }

  /** Something has happened. */
  note(): void {
    this.#lastMs = this.#clock.monotonic();
  }

  /** It is not told any more. */
  cancel(): void {
    this.#timer?.cancel();
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      const leftMs = this.#lastMs + this.#idleMs - this.#clock.monotonic();
      if (leftMs > 0) this.#wait(leftMs);
      else this.#onIdle();
    });
  }
}
