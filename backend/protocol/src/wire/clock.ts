import { patientTimer } from "../time/patientTimer.ts";

/**
 * What `wire/` needs to know about time. The backend's and the agent's clocks fit; tests give one
 * that they move by hand.
 */
export interface WireClock {
  /** Milliseconds since any fixed moment, never going back. */
  monotonic(): number;
  /** Runs `action` once after `delayMs`, unless the timer is cancelled before. */
  after(delayMs: number, action: () => void): WireTimer;
}

/** A timer that can be cancelled; cancelling twice does no harm. */
export interface WireTimer {
  cancel(): void;
}

/** The machine's own clock; its timers keep no process alive. */
export const SYSTEM_CLOCK: WireClock = {
  monotonic: () => performance.now(),
  after: (delayMs, action) => patientTimer(delayMs, false, action),
};
