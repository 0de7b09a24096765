/** The shortest wait is half of this: a server that restarts is back within a second. */
const BASE_MS = 1_000;
/**
 * Cap while an outage is young. With it, all agents of a server that was away for less than
 * `YOUNG_MS` are back within these 4 seconds, spread over them.
 */
const YOUNG_CAP_MS = 4_000;
const YOUNG_MS = 60_000;
/** Cap for long outages: the server is not being restarted, so nobody waits for us. */
const CAP_MS = 60_000;
/**
 * A refused login is not repaired by asking again soon, and servers count refusals; the credential
 * may still come back. RPort's server refuses even the right secret for 2 s after a wrong one.
 */
const REFUSED_BASE_MS = 5_000;
const REFUSED_CAP_MS = 120_000;
/** Keeps the doubling inside exact numbers. */
const MAX_DOUBLINGS = 20;

/** How it went since the last stable connection. */
export interface Outage {
  /** When the first attempt failed, on the clock that never goes back. */
  readonly startedMs: number;
  /** Attempts that failed, refusals included. */
  readonly failures: number;
  /** How many of the last ones, without a break, were refused for what we are. */
  readonly refusals: number;
}

/**
 * How long to wait before the next attempt: uniform between the shortest wait and a limit that
 * doubles with each failure. `random` is from 0 up to 1.
 */
export function retryDelayMs(outage: Outage, nowMs: number, random: number): number {
  if (outage.refusals > 0) {
    const limit = REFUSED_BASE_MS * 2 ** Math.min(outage.refusals, MAX_DOUBLINGS);
    return between(REFUSED_BASE_MS, Math.min(limit, REFUSED_CAP_MS), random);
  }
  const cap = nowMs - outage.startedMs < YOUNG_MS ? YOUNG_CAP_MS : CAP_MS;
  const doublings = Math.min(Math.max(outage.failures - 1, 0), MAX_DOUBLINGS);
  return between(BASE_MS / 2, Math.min(BASE_MS * 2 ** doublings, cap), random);
}

function between(low: number, high: number, random: number): number {
  return Math.round(low + (high - low) * random);
}
