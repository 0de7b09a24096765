import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../../limits/limits.ts";
import { type Allowance, Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf, prefixesOf } from "../../platform/network.ts";
import type { TriesFrom } from "../signIn/guessing.ts";

/** How much more the networks around one may be wrong, from the widest on, and for how many is kept count. */
const SHARES = [25, 5, 1] as const;
const NETWORKS_MAX = 10_000;
const MINUTE_S = 60;

/** What guesses are bounded with. */
export interface GuessesDeps {
  readonly clock: Pick<Clock, "monotonic">;
  readonly limits: Limits;
}

/**
 * Bounds how many codes can be tried: from one network (an IPv4 address or the /64 of IPv6), from the
 * wider ones around it, and in all. Whoever has a whole /48 uses up what that has, and a right code
 * from elsewhere is taken; only a flood from thousands of wide networks reaches the bound of all.
 */
export class Guesses {
  readonly #networks: readonly Budget<string>[];
  readonly #all: Budget<"all">;
  readonly #limits: Limits;

  constructor({ clock, limits }: GuessesDeps) {
    this.#limits = limits;
    this.#networks = SHARES.map(() => new Budget({ clock, keysMax: NETWORKS_MAX }));
    this.#all = new Budget({ clock, keysMax: 1 });
  }

  /** Throws `TOO_MANY_REQUESTS`, with how long, while too many were wrong, from there or in all. */
  requireRoom(from: TriesFrom): void {
    const own = Math.max(0, ...this.#shares(from).map(({ waitMs }) => waitMs()));
    const waitMs = Math.max(own, this.#all.waitMs("all", 1, this.#ofAll));
    if (waitMs === 0) return;
    const limit = own > 0 ? "wrong_codes_per_network" : "wrong_codes_per_second";
    this.#limits.bite(limit, { network: networkOf(from.address) });
    const whose = own > 0 ? "from your network" : "in all";
    const retryAfterS = Math.ceil(waitMs / 1_000);
    throw new RportError("TOO_MANY_REQUESTS", `Too many wrong codes ${whose}.`, {
      detail: `Try again in ${retryAfterS} s.`,
      retryAfterS,
    });
  }

  /** Counts a wrong one. */
  note(from: TriesFrom): void {
    this.#all.charge("all", 1, this.#ofAll);
    for (const { charge } of this.#shares(from)) charge();
  }

  /** What the networks around somebody have left; nothing is counted where many share an address. */
  #shares({ address, isShared }: TriesFrom) {
    const usual = isShared ? 0 : this.#limits.max("wrong_codes_per_network");
    const prefixes = isShared ? [] : prefixesOf(address);
    return prefixes.map((prefix, at) => {
      const burst = usual * (SHARES[at] ?? 1);
      const allowance = { burst, perSecond: burst / MINUTE_S };
      const budget = this.#networks[at];
      return {
        waitMs: () => budget?.waitMs(prefix, 1, allowance) ?? 0,
        charge: () => budget?.charge(prefix, 1, allowance),
      };
    });
  }

  get #ofAll(): Allowance {
    const perSecond = this.#limits.max("wrong_codes_per_second");
    return { burst: perSecond, perSecond };
  }
}
