import { type Clock, systemClock, type Timer } from "../../../backend/src/platform/clock.ts";

/** The machine's clock, but what is due after certain spans of time is due when a test says so. */
export class HeldClock implements Clock {
  readonly #heldMs: readonly number[];
  readonly #held = new Set<() => void>();

  constructor(...heldMs: readonly number[]) {
    this.#heldMs = heldMs;
  }

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(ms: number, run: () => void): Timer {
    if (!this.#heldMs.includes(ms)) return systemClock.after(ms, run);
    this.#held.add(run);
    return { cancel: () => this.#held.delete(run) };
  }

  /** How much waits for it. */
  get waiting(): number {
    return this.#held.size;
  }

  /** The time is over for all that waits for it. */
  pass(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const run of held) run();
  }
}
