import type { Clock } from "../support/clock.ts";

/** Two clocks that are closer than this agree: what a server says is on its way for a while. */
export const AGREED_MS = 60_000;

/**
 * What time it is on a server. Its instants are compared with this and not with the computer's own clock,
 * which may be hours off: "ends in 23 h" is true wherever it is read.
 */
export class ServerTime {
  readonly #clock: Pick<Clock, "now">;
  #aheadMs = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** How far its clock is ahead of this computer's; 0 where the two agree, or nothing is known. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Milliseconds since the epoch, by its clock. */
  get nowMs(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  /** The server has just said that it is this instant (RFC 3339). */
  isToldToBe(at: string): void {
    const aheadMs = Date.parse(at) - this.#clock.now();
    this.#aheadMs = Math.abs(aheadMs) < AGREED_MS ? 0 : aheadMs;
  }
}
