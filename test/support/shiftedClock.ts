import { type Clock, systemClock, type Timer } from "../../backend/src/platform/clock.ts";

/** The machine's clock, as it is after somebody has set it; timers run as they do. */
export class ShiftedClock implements Clock {
  #shiftMs = 0;

  now(): number {
    return systemClock.now() + this.#shiftMs;
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(ms: number, run: () => void): Timer {
    return systemClock.after(ms, run);
  }

  /** It is so much later than it was. */
  pass(ms: number): void {
    this.#shiftMs += ms;
  }
}
