import { patientTimer } from "@rport/protocol/time/patientTimer";

/** A timer that has not fired yet. */
export interface Timer {
  /** Harmless when it has fired already. */
  cancel(): void;
}

/** The only way to know or wait for time. */
export interface Clock {
  /** Milliseconds since the epoch. May jump when the computer's clock is set: no durations are taken by it. */
  now(): number;
  /** Milliseconds since an arbitrary start. Never jumps and never goes back; may stand while the computer sleeps. */
  monotonic(): number;
  /** Runs something once, after at least `ms` milliseconds, however many. */
  after(ms: number, run: () => void): Timer;
}

/** Resolves after at least `ms` milliseconds. */
export function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => patientTimer(ms, true, run),
};
