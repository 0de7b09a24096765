import { patientTimer } from "@rport/protocol/time/patientTimer";

/** A pending call. */
export interface Timer {
  /** The call does not happen any more; harmless when it already did. */
  cancel(): void;
}

/** The only door to time: everything that waits or reads the time gets one as an argument. */
export interface Clock {
  /** Milliseconds since the epoch. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since an arbitrary start. Never jumps and never goes back. */
  monotonic(): number;
  /** Calls `run` once after `ms`. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => patientTimer(ms, false, run),
};

/** A time as the contract carries it: RFC 3339 in UTC. */
export function toTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** `toTime` for the contract: null where there is no time. */
export function toTimeOrNull(epochMs: number | null | undefined): string | null {
  return epochMs === null || epochMs === undefined ? null : toTime(epochMs);
}
