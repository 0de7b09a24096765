import type { AuthId } from "@rport/protocol/ids";
import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";

/** How many first joins may come at once, and per minute from then on. */
export interface JoinLimit {
  readonly atOnce: number;
  readonly perMinute: number;
}

/**
 * For a credential that sets no number. Each first join may hold 60 kB while it is connected, and
 * leaves a record of some kilobytes: a stolen credential takes 18 MB at once. Whoever sets up more
 * than these together sets a number of their own, as that is what a flood looks like.
 */
export const USUAL_JOINS: JoinLimit = { atOnce: 300, perMinute: 100 };

/**
 * Per minute while a credential that sets no number is flooded: it is probably stolen, and was
 * pointed out. A thief adds no 144,000 records a day, and whoever sets up a host still gets in.
 */
export const FLOODED_JOINS_PER_MINUTE = 10;

/** What counts for a credential that sets `own`, or no number, while it is flooded or not. */
export function joinLimit(own: number | null, isFlooded: boolean): JoinLimit {
  if (own !== null) return { atOnce: own, perMinute: own };
  return isFlooded ? { ...USUAL_JOINS, perMinute: FLOODED_JOINS_PER_MINUTE } : USUAL_JOINS;
}

/** Credentials remembered. */
const CREDENTIALS_MAX = 100_000;

/** Counts first joins per credential: so many at once, and so many per minute from then on. */
export class JoinRate {
  readonly #budget: Budget<AuthId>;

  constructor(clock: Clock) {
    this.#budget = new Budget({ clock, keysMax: CREDENTIALS_MAX });
  }

  /** Counts one more; false: that would be one too many, and nothing is counted. */
  take(id: AuthId, { atOnce, perMinute }: JoinLimit): boolean {
    return this.#budget.spend(id, 1, { burst: atOnce, perSecond: perMinute / 60 }) === 0;
  }

  /** The credential is gone. */
  forget(id: AuthId): void {
    this.#budget.forget(id);
  }
}
