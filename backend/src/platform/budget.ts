import type { Clock } from "./clock.ts";
import { RecentMap } from "./recentMap.ts";

/** How much somebody may spend. */
export interface Allowance {
  /** At once, by whoever has spent nothing lately. */
  readonly burst: number;
  /** What comes back each second. */
  readonly perSecond: number;
}

/** What a budget needs. */
export interface BudgetDeps {
  readonly clock: Pick<Clock, "monotonic">;
  /** Keys remembered; what was spent under the one that spent longest ago is forgotten first. */
  readonly keysMax: number;
}

interface Account {
  readonly spent: number;
  readonly atMs: number;
}

/** What was spent comes back in fractions: whoever waited as long as told to has enough. */
const ROUNDING = 1e-9;

/**
 * What was spent under each key, and comes back as time passes (a leaky bucket per key). Says
 * nothing about how much may be spent: that comes along with each question, and may change between
 * two.
 */
export class Budget<K> {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #accounts: RecentMap<K, Account>;

  constructor({ clock, keysMax }: BudgetDeps) {
    this.#clock = clock;
    this.#accounts = new RecentMap(keysMax);
  }

  /** Spends `cost` and answers 0, or spends nothing and answers as `waitMs` does. */
  spend(key: K, cost: number, allowance: Allowance): number {
    const waitMs = this.waitMs(key, cost, allowance);
    if (waitMs === 0) this.charge(key, cost, allowance);
    return waitMs;
  }

  /** Spends `cost`, or what is left where that is less. */
  charge(key: K, cost: number, { burst, perSecond }: Allowance): void {
    const spent = Math.min(this.#spent(key, perSecond) + cost, burst);
    this.#accounts.set(key, { spent, atMs: this.#clock.monotonic() });
  }

  /** Milliseconds until `cost` can be spent; 0: now, infinite: never. */
  waitMs(key: K, cost: number, { burst, perSecond }: Allowance): number {
    const lacking = this.#spent(key, perSecond) + cost - burst;
    return lacking <= ROUNDING ? 0 : (lacking / perSecond) * 1_000;
  }

  /** Milliseconds since something was spent under this key; infinite: nothing is known of it. */
  idleMs(key: K): number {
    const account = this.#accounts.get(key);
    return account === undefined
      ? Number.POSITIVE_INFINITY
      : this.#clock.monotonic() - account.atMs;
  }

  /** The key has spent nothing. */
  forget(key: K): void {
    this.#accounts.delete(key);
  }

  #spent(key: K, perSecond: number): number {
    const account = this.#accounts.get(key);
    if (account === undefined) return 0;
    const seconds = (this.#clock.monotonic() - account.atMs) / 1_000;
    return Math.max(0, account.spent - seconds * perSecond);
  }
}
