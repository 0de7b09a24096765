import { RportError } from "@rport/protocol/errors";
import { type Allowance, Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";

/** A network may be wrong this often at once, and per minute; a person who mistypes needs a few. */
const PER_NETWORK: Allowance = { burst: 10, perSecond: 10 / 60 };
/** All together: so many codes can be tried while one works that meeting it takes luck of 1 to 10^12. */
const IN_ALL: Allowance = { burst: 1_000, perSecond: 50 };
const NETWORKS_MAX = 10_000;

/** From where somebody tries a code. */
export interface Guesser {
  readonly address: string;
  /** Others may have the same address: nobody is made to wait for what came from there. */
  readonly isShared: boolean;
}

/** Bounds how many codes can be tried, per network (an IPv4 address or the /64 of IPv6) and in all. */
export class Guesses {
  readonly #networks: Budget<string>;
  readonly #all: Budget<"all">;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#networks = new Budget({ clock, keysMax: NETWORKS_MAX });
    this.#all = new Budget({ clock, keysMax: 1 });
  }

  /** Throws `TOO_MANY_REQUESTS`, with how long, while too many were wrong, from there or in all. */
  requireRoom({ address, isShared }: Guesser): void {
    const own = isShared ? 0 : this.#networks.waitMs(networkOf(address), 1, PER_NETWORK);
    const waitMs = Math.max(own, this.#all.waitMs("all", 1, IN_ALL));
    if (waitMs === 0) return;
    const whose = own > 0 ? "from your network" : "in all";
    const retryAfterS = Math.ceil(waitMs / 1_000);
    throw new RportError("TOO_MANY_REQUESTS", `Too many wrong codes ${whose}.`, {
      detail: `Try again in ${retryAfterS} s.`,
      retryAfterS,
    });
  }

  /** Counts a wrong one. */
  note({ address, isShared }: Guesser): void {
    this.#all.charge("all", 1, IN_ALL);
    if (!isShared) this.#networks.charge(networkOf(address), 1, PER_NETWORK);
  }
}
