import type { AuthId } from "@rport/protocol/ids";
import type { Clock } from "../platform/clock.ts";

/**
 * First joins per minute of a credential that sets no number, and as many at once. Each leaves a
 * record of some kilobytes for good: a stolen credential takes hours to fill a machine's memory,
 * and is pointed out after its first minute; a thousand hosts that are set up together are in after
 * three minutes.
 */
export const USUAL_JOINS_PER_MINUTE = 300;

const MINUTE_MS = 60_000;

interface Bucket {
  readonly spent: number;
  readonly atMs: number;
}

/** Counts first joins per credential: so many at once, and so many per minute from then on. */
export class JoinRate {
  readonly #clock: Clock;
  readonly #buckets = new Map<AuthId, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one more; false: that would be more than `perMinute`, and nothing is counted. */
  take(id: AuthId, perMinute: number): boolean {
    const nowMs = this.#clock.monotonic();
    const { spent, atMs } = this.#buckets.get(id) ?? { spent: 0, atMs: nowMs };
    const left = Math.max(0, spent - ((nowMs - atMs) * perMinute) / MINUTE_MS);
    if (left + 1 > perMinute) return false;
    this.#buckets.set(id, { spent: left + 1, atMs: nowMs });
    return true;
  }

  /** The credential is gone. */
  forget(id: AuthId): void {
    this.#buckets.delete(id);
  }
}
