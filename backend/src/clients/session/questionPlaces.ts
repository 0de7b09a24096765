import { LONG_REQUESTS } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../../limits/limits.ts";
import type { Sharer } from "../../limits/sharer.ts";
import type { Fields } from "../../platform/log.ts";

/** Whoever has no place may ask again after this. */
const RETRY_S = 2;

/** What the places need. */
export interface QuestionPlacesDeps {
  readonly limits: Pick<Limits, "max" | "bite">;
  /** How the log names the agent. */
  readonly names: () => Fields;
}

/**
 * Places for what people ask one agent at once. A user has a share of them, and never more than are
 * left for others: whoever has none yet finds one while there is any.
 */
export class QuestionPlaces {
  readonly #deps: QuestionPlacesDeps;
  readonly #byUser = new Map<string, number>();
  #taken = 0;

  constructor(deps: QuestionPlacesDeps) {
    this.#deps = deps;
  }

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place of a user; undefined: nobody's. Answers what gives it back, once. Throws
   * `TOO_MANY_REQUESTS` when the user has as many as they may, `UNAVAILABLE` when all are taken.
   */
  take(user: Sharer | undefined): () => void {
    const left = LONG_REQUESTS.atOnce - this.#taken;
    if (left <= 0) this.#refuse(user, allTaken());
    const own = user === undefined ? 0 : (this.#byUser.get(user.accountId) ?? 0);
    const share = Math.min(left, this.#deps.limits.max("questions_per_user"));
    if (user !== undefined && own >= share) this.#refuse(user, ownTaken(own));
    this.#count(user, 1);
    return () => this.#count(user, -1);
  }

  #count(user: Sharer | undefined, by: 1 | -1): void {
    this.#taken += by;
    if (user === undefined) return;
    const own = (this.#byUser.get(user.accountId) ?? 0) + by;
    if (own === 0) this.#byUser.delete(user.accountId);
    else this.#byUser.set(user.accountId, own);
  }

  #refuse(user: Sharer | undefined, error: RportError): never {
    this.#deps.limits.bite("questions_per_user", { ...this.#deps.names(), user: user?.name });
    throw error;
  }
}

function ownTaken(own: number): RportError {
  const waits = own === 1 ? "1 of your questions waits" : `${own} of your questions wait`;
  const title = `${waits} for this client's answer already, and one user may have no more at once; try again in a moment.`;
  return new RportError("TOO_MANY_REQUESTS", title, { retryAfterS: RETRY_S });
}

function allTaken(): RportError {
  const title = `The client works on ${LONG_REQUESTS.atOnce} questions of several users, and takes no more at once; try again in a moment.`;
  return new RportError("UNAVAILABLE", title, { retryAfterS: RETRY_S });
}
