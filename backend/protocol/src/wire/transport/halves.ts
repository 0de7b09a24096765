import type { WireClock, WireTimer } from "../clock.ts";

/**
 * What has to come in `halfMs` of what is not complete: who sends it byte by byte would else keep its
 * memory for good. In five minutes that is a line of 2 kbit/s.
 */
const LEAST_BYTES = 64 << 10;

/** Whose halves are watched. */
export interface HalvesOwner {
  /** Something has begun and is not complete. */
  readonly isHalf: boolean;
  /** How many bytes of it have come. */
  readonly begunBytes: number;
  /** We take nothing now: the peer cannot go on. */
  readonly isHeldUp: boolean;
  /** Changes with everything that is completed. */
  readonly completed: number;
  /** What has begun was neither completed in time, nor did enough of it come. */
  onOverdue(): void;
}

/**
 * Watches that a peer completes what it begins: a packet of which nothing more comes keeps everything
 * behind it waiting, and its memory for good. A slow peer may take as long as it needs while it sends
 * on. Looked at is only every `halfMs`, so it may take twice that long; what is completed in time costs
 * nothing.
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
    const { completed, begunBytes } = this.#owner;
    this.#timer = this.#clock.after(this.#halfMs, () => {
      this.#timer = undefined;
      const { isHalf, isHeldUp, completed: now } = this.#owner;
      const hasGoneOn = now !== completed || this.#owner.begunBytes - begunBytes >= LEAST_BYTES;
      if (isHalf && !isHeldUp && !hasGoneOn) this.#owner.onOverdue();
      else this.observe();
    });
  }

  /** Gives what has begun the whole time again: the peer could not go on until now. */
  restart(): void {
    this.stop();
    this.observe();
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
