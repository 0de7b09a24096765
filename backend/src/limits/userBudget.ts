import { Budget } from "../platform/budget.ts";
import type { Clock } from "../platform/clock.ts";
import type { Limits } from "./limits.ts";
import type { LimitName } from "./limitTable.ts";
import type { Sharer } from "./sharer.ts";

const USERS_REMEMBERED = 10_000;

/** What bounds something that users do. */
export interface UserBudgetDeps {
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic">;
}

/** So many times at once, and so many in a while, for each user, whatever name they have. */
export class UserBudget {
  readonly #limits: UserBudgetDeps["limits"];
  readonly #budget: Budget<string>;
  readonly #limit: LimitName;
  readonly #whileS: number;

  constructor({ limits, clock }: UserBudgetDeps, limit: LimitName, whileS: number) {
    this.#limits = limits;
    this.#budget = new Budget({ clock, keysMax: USERS_REMEMBERED });
    this.#limit = limit;
    this.#whileS = whileS;
  }

  /** Counts one more. Answers after how many seconds to try again, which is logged; 0: it is taken. */
  spend({ accountId, name: user }: Sharer): number {
    const burst = this.#limits.max(this.#limit);
    const perSecond = burst / this.#whileS;
    const waitMs = this.#budget.spend(accountId, 1, { burst, perSecond });
    if (waitMs > 0) this.#limits.bite(this.#limit, { user });
    return Math.ceil(waitMs / 1_000);
  }
}
