import type { AuthId } from "@rport/protocol/ids";
import { USUAL_JOINS } from "@rport/protocol/model";
import type { Clock } from "../../platform/clock.ts";

/** How many first joins may come at once, and per minute from then on. */
export interface JoinLimit {
  readonly atOnce: number;
  readonly perMinute: number;
}

/**
 * `USUAL_JOINS` are for a credential that sets no number. Each first join may hold 60 kB while it is connected, and
 * leaves a record of some kilobytes: a stolen credential takes 18 MB at once. Whoever sets up more
 * than these together sets a number of their own, as that is what a flood looks like. While it is flooded,
 * it is probably stolen, and was pointed out: a thief adds no 144,000 records a day, and whoever
 * sets up a host still gets in.
 *
 * What counts for a credential that sets `own`, or no number, while it is flooded or not. */
export function joinLimit(own: number | null, isFlooded: boolean): JoinLimit {
  if (own !== null) return { atOnce: own, perMinute: own };
  const { atOnce, perMinute, perMinuteFlooded } = USUAL_JOINS;
  return { atOnce, perMinute: isFlooded ? perMinuteFlooded : perMinute };
}

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

  /** Counts one more; false: that would be one too many, and nothing is counted. */
  take(id: AuthId, { atOnce, perMinute }: JoinLimit): boolean {
    const nowMs = this.#clock.monotonic();
    const { spent, atMs } = this.#buckets.get(id) ?? { spent: 0, atMs: nowMs };
    const left = Math.max(0, spent - ((nowMs - atMs) * perMinute) / MINUTE_MS);
    if (left + 1 > atOnce) return false;
    this.#buckets.set(id, { spent: left + 1, atMs: nowMs });
    return true;
  }

  /** The credential is gone. */
  forget(id: AuthId): void {
    this.#buckets.delete(id);
  }
}
