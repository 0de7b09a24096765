import type { Clock, Timer } from "../platform/clock.ts";

/** Does the first of many deeds at once, and of those that follow within a moment only the last. */
export class LastOfMany {
  readonly #clock: Clock;
  readonly #momentMs: number;
  #timer: Timer | undefined;
  #next: (() => void) | undefined;

  constructor(clock: Clock, momentMs: number) {
    this.#clock = clock;
    this.#momentMs = momentMs;
  }

  /** Does it now, or soon unless another one comes. */
  run(deed: () => void): void {
    if (this.#timer !== undefined) {
      this.#next = deed;
      return;
    }
    this.#timer = this.#clock.after(this.#momentMs, () => this.#due());
    deed();
  }

  /** What waits is done now. */
  hurry(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }

  /** Nothing that waits is done any more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#next = undefined;
  }

  #due(): void {
    const next = this.#next;
    this.#timer = undefined;
    this.#next = undefined;
    if (next !== undefined) this.run(next);
  }
}
