import { Budget } from "../platform/budget.ts";
import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";

/** A network may be wrong this often at once, and per minute; a person who mistypes needs a few. */
const ALLOWANCE = { burst: 10, perSecond: 10 / 60 };
const NETWORKS_MAX = 10_000;

/** Counts wrong tokens per network: an IPv4 address, or the /64 of an IPv6 address. */
export class FailedLogins {
  readonly #budget: Budget<string>;

  constructor(clock: Clock) {
    this.#budget = new Budget({ clock, keysMax: NETWORKS_MAX });
  }

  /**
   * Notes a wrong token. Returns after how many seconds the network may be wrong as often as
   * before; 0: it may try again at once. Who shows a valid token is never asked here, so nobody can
   * lock out anybody else.
   */
  note(address: string): number {
    const network = networkOf(address);
    if (this.#budget.spend(network, 1, ALLOWANCE) === 0) return 0;
    return Math.ceil(this.#budget.waitMs(network, ALLOWANCE.burst, ALLOWANCE) / 1_000);
  }
}
