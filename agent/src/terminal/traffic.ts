import type { Clock } from "../platform/clock.ts";

/** What moved within this counts as moving now. */
const RECENT_MS = 50;

/**
 * Tells from a count of bytes whether they move now. It is known from one question to the next, so whoever wants to
 * know asks again and again, more often than every 50 ms.
 */
export class Traffic {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #bytes: () => number;
  #seen: number;
  /** When it was seen to have moved; undefined: never. */
  #movedAtMs: number | undefined;

  /** `bytes` tells how many have moved since any fixed moment. */
  constructor(clock: Pick<Clock, "monotonic">, bytes: () => number) {
    this.#clock = clock;
    this.#bytes = bytes;
    this.#seen = bytes();
  }

  /** Whether something moved since this was asked last, or within 50 ms. */
  get isNow(): boolean {
    const bytes = this.#bytes();
    const nowMs = this.#clock.monotonic();
    if (bytes !== this.#seen) this.#movedAtMs = nowMs;
    this.#seen = bytes;
    return this.#movedAtMs !== undefined && nowMs - this.#movedAtMs < RECENT_MS;
  }
}
