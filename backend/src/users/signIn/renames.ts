import { RportError } from "@rport/protocol/errors";
import type { Sharer } from "../../limits/sharer.ts";
import { UserBudget, type UserBudgetDeps } from "../../limits/userBudget.ts";
import type { Actor } from "../actor.ts";

const HOUR_S = 3_600;

/**
 * How often users who are no administrators take another name: whoever has another one each moment
 * is found by nobody who wants to shut them out.
 */
export class Renames {
  readonly #budget: UserBudget;

  constructor(deps: UserBudgetDeps) {
    this.#budget = new UserBudget(deps, "renames_per_user", HOUR_S);
  }

  /**
   * Counts one more, also where the name turns out to be taken. Fails with `TOO_MANY_REQUESTS` when the
   * user has had as many names as one may have.
   */
  spend(user: Sharer & Pick<Actor, "isAdministrator">): void {
    if (user.isAdministrator) return;
    const retryAfterS = this.#budget.spend(user);
    if (retryAfterS === 0) return;
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
