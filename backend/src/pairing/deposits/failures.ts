import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";
import { RecentMap } from "../../platform/recentMap.ts";

/** Failures that a network may cause at once, and per minute. */
const OF_A_NETWORK = { burst: 10, perSecond: 10 / 60 };
/** Who has caused more is not heard for so long. */
const BLOCKED_MS = 10 * 60_000;
/** Failures of all together, beyond which each is answered late. */
const OF_ALL = { burst: 300, perSecond: 300 / 60 };
const LATE_MS = 1_000;
const NETWORKS_MAX = 10_000;

/** What one more failure means. */
export interface FailureVerdict {
  /** After how many milliseconds it is to be answered. */
  readonly delayMs: number;
  /** From all networks there are more failures now than there may be; said once. */
  readonly isFlood: boolean;
}

/**
 * Counts failures per network, and of all. Successes cost nothing, so nobody can lock out an
 * installation at another address.
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #budget: Budget<string>;
  readonly #all: Budget<"all">;
  readonly #blocked = new RecentMap<string, number>(NETWORKS_MAX);
  #isFlooded = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#budget = new Budget({ clock, keysMax: NETWORKS_MAX });
    this.#all = new Budget({ clock, keysMax: 1 });
  }

  /** Milliseconds until the address is heard again; 0: now. */
  waitMs(address: string): number {
    const untilMs = this.#blocked.get(networkOf(address)) ?? 0;
    return Math.max(0, untilMs - this.#clock.monotonic());
  }

  /** Counts one failure of an address; undefined: of one that many share. */
  count(address: string | undefined): FailureVerdict {
    if (address !== undefined) this.#countOf(networkOf(address));
    const isLate = this.#all.spend("all", 1, OF_ALL) > 0;
    const isFlood = isLate && !this.#isFlooded;
    this.#isFlooded = isLate;
    return { delayMs: isLate ? LATE_MS : 0, isFlood };
  }

  #countOf(network: string): void {
    this.#budget.charge(network, 1, OF_A_NETWORK);
    if (this.#budget.waitMs(network, 1, OF_A_NETWORK) === 0) return;
    this.#blocked.set(network, this.#clock.monotonic() + BLOCKED_MS);
    this.#budget.forget(network);
  }
}
