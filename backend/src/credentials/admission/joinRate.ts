import type { AuthId } from "@rport/protocol/ids";
import { USUAL_JOINS } from "@rport/protocol/model";
import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";

/** How many first joins may come at once, and per minute from then on. */
export interface JoinLimit {
  readonly atOnce: number;
  readonly perMinute: number;
}

/**
 * What counts for a credential that sets `own`, or no number, while it is flooded or not. Each first
 * join may hold 60 kB while it is connected, and leaves a record of some kilobytes: by `USUAL_JOINS`
 * a stolen credential takes 18 MB at once. Whoever sets up more hosts together sets a number of
 * their own, as that is what a flood looks like. While it is flooded, it is probably stolen, and was
 * pointed out: a thief adds no 144,000 records a day, and whoever sets up a host still gets in.
 */
export function joinLimit(own: number | null, isFlooded: boolean): JoinLimit {
  if (own !== null) return { atOnce: own, perMinute: own };
  const { atOnce, perMinute, perMinuteFlooded } = USUAL_JOINS;
  return { atOnce, perMinute: isFlooded ? perMinuteFlooded : perMinute };
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
