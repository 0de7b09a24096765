import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../../limits/limits.ts";
import type { Sharer } from "../../limits/sharer.ts";
import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Actor } from "../actor.ts";

const USERS_REMEMBERED = 10_000;
const HOUR_S = 3_600;

/** What bounds the names. */
export interface RenamesDeps {
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * How often users who are no administrators take another name: whoever has another one each moment
 * is found by nobody who wants to shut them out.
 */
export class Renames {
  readonly #limits: RenamesDeps["limits"];
  readonly #budget: Budget<string>;

  constructor({ limits, clock }: RenamesDeps) {
    this.#limits = limits;
    this.#budget = new Budget({ clock, keysMax: USERS_REMEMBERED });
  }

  /**
   * Counts one more, also where the name turns out to be taken. Fails with `TOO_MANY_REQUESTS` when the
   * user has had as many names as one may have.
   */
  spend({ accountId, name: user, isAdministrator }: Sharer & Pick<Actor, "isAdministrator">): void {
    if (isAdministrator) return;
    const burst = this.#limits.max("renames_per_user");
    const waitMs = this.#budget.spend(accountId, 1, { burst, perSecond: burst / HOUR_S });
    if (waitMs === 0) return;
    this.#limits.bite("renames_per_user", { user });
    const retryAfterS = Math.ceil(waitMs / 1_000);
    throw new RportError(
      "TOO_MANY_REQUESTS",
      "You have changed your name too often within an hour.",
      {
        detail: `Try again in ${Math.ceil(retryAfterS / 60)} min., or ask an administrator to change it.`,
        retryAfterS,
      },
    );
  }
}
