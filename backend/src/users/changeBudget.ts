import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import { Budget } from "../platform/budget.ts";
import type { Clock } from "../platform/clock.ts";
import type { Actor } from "./actor.ts";

const USERS_REMEMBERED = 10_000;
const MINUTE_S = 60;

/** Somebody who changes something. */
type Changer = Sharer & Pick<Actor, "scope" | "isAdministrator">;

/** What bounds the changes. */
export interface ChangeBudgetDeps {
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * How much users who are no administrators may change: each change is written to the disk and into the
 * audit log, which keeps everything.
 */
export class ChangeBudget {
  readonly #limits: ChangeBudgetDeps["limits"];
  readonly #budget: Budget<string>;

  constructor({ limits, clock }: ChangeBudgetDeps) {
    this.#limits = limits;
    this.#budget = new Budget({ clock, keysMax: USERS_REMEMBERED });
  }

  /** Counts one more change. Fails with `TOO_MANY_REQUESTS` when the user has just made many. */
  spend({ accountId, name: user, scope, isAdministrator }: Changer): void {
    if (isAdministrator || scope === "none") return;
    const burst = this.#limits.max("changes_per_user");
    const waitMs = this.#budget.spend(accountId, 1, { burst, perSecond: burst / MINUTE_S });
    if (waitMs === 0) return;
    this.#limits.bite("changes_per_user", { user });
    const retryAfterS = Math.ceil(waitMs / 1_000);
    throw new RportError("TOO_MANY_REQUESTS", "You have changed a lot within a minute.", {
      detail: `Try again in ${retryAfterS} s.`,
      retryAfterS,
    });
  }
}
