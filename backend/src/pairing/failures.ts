import { Budget } from "../platform/budget.ts";
import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";

/** Failures that a network may cause at once, and per minute. */
const ALLOWANCE = { burst: 10, perSecond: 10 / 60 };
const NETWORKS_MAX = 10_000;

/**
 * Counts failures per network. Successes cost nothing, so nobody can lock out an installation at
 * another address.
 */
export class FailureLimit {
  readonly #budget: Budget<string>;

  constructor(clock: Clock) {
    this.#budget = new Budget({ clock, keysMax: NETWORKS_MAX });
  }

  /** Whether the address has used up its failures for now. */
  isExhausted(address: string): boolean {
    return this.#budget.waitMs(networkOf(address), 1, ALLOWANCE) > 0;
  }

  /** Counts one failure. */
  count(address: string): void {
    this.#budget.charge(networkOf(address), 1, ALLOWANCE);
  }
}
