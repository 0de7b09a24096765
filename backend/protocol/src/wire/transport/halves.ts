import type { WireClock, WireTimer } from "../clock.ts";

/** Whose halves are watched. */
export interface HalvesOwner {
  /** Something has begun and is not complete. */
  readonly isHalf: boolean;
  /** We take nothing now: the peer cannot go on. */
  readonly isHeldUp: boolean;
  /** Changes with everything that is completed. */
  readonly completed: number;
  /** What has begun was not completed in time. */
  onOverdue(): void;
}

/**
 * Watches that a peer completes what it begins: a packet of which nothing more comes keeps everything
 * behind it waiting, and its memory for good. Looked at is only every `halfMs`, so it may take twice that
 * long; what is completed in time costs nothing.
 */
export class Halves {
  readonly #clock: WireClock;
  readonly #halfMs: number;
  readonly #owner: HalvesOwner;
  #timer: WireTimer | undefined;

  constructor(clock: WireClock, halfMs: number, owner: HalvesOwner) {
    this.#clock = clock;
    this.#halfMs = halfMs;
    this.#owner = owner;
  }

  /** Called whenever something may have begun. */
  observe(): void {
    if (this.#timer !== undefined || !this.#owner.isHalf) return;
    const { completed } = this.#owner;
    this.#timer = this.#clock.after(this.#halfMs, () => {
      this.#timer = undefined;
      const { isHalf, isHeldUp, completed: now } = this.#owner;
      if (isHalf && !isHeldUp && now === completed) this.#owner.onOverdue();
      else this.observe();
    });
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
