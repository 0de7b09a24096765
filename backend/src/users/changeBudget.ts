import { RportError } from "@rport/protocol/errors";
import type { Sharer } from "../limits/sharer.ts";
import { UserBudget, type UserBudgetDeps } from "../limits/userBudget.ts";
import type { Actor } from "./actor.ts";

const MINUTE_S = 60;

/** Somebody who changes something. */
type Changer = Sharer & Pick<Actor, "scope" | "isAdministrator">;

/**
 * How much users who are no administrators may change: each change is written to the disk and into the
 * audit log, which keeps everything.
 */
export class ChangeBudget {
  readonly #budget: UserBudget;

  constructor(deps: UserBudgetDeps) {
    this.#budget = new UserBudget(deps, "changes_per_user", MINUTE_S);
  }

  /** Counts one more change. Fails with `TOO_MANY_REQUESTS` when the user has just made many. */
  spend(changer: Changer): void {
    if (changer.isAdministrator || changer.scope === "none") return;
    const retryAfterS = this.#budget.spend(changer);
    if (retryAfterS === 0) return;
    throw new RportError("TOO_MANY_REQUESTS", "You have changed a lot within a minute.", {
      detail: `Try again in ${retryAfterS} s.`,
      retryAfterS,
    });
  }
}
