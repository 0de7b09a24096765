import { RportError } from "@rport/protocol/errors";
import type { Clock } from "../../platform/clock.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { Actor } from "../actor.ts";

/** For so long after its beginning a session proves that its user is there: RPort's lifetime of one. */
const FRESH_MS = 600_000;

/** What freshness is told by. */
export interface FreshnessDeps {
  readonly ledger: Pick<AccountLedger, "ownerOfSession">;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Whether somebody has shown password, and code where one is owed, only just. What outlasts a stolen
 * session or token (a second factor, another name, a token for longer) takes that, or the secret itself
 * with it.
 */
export class Freshness {
  readonly #deps: FreshnessDeps;

  constructor(deps: FreshnessDeps) {
    this.#deps = deps;
  }

  /** A personal token never is fresh, however new. */
  isFresh({ hasAccount, tokenId }: Actor): boolean {
    const { ledger, clock } = this.#deps;
    const id = Number(tokenId);
    const session = hasAccount ? ledger.ownerOfSession(id)?.session(id) : undefined;
    if (session === undefined || String(session.session_id) !== tokenId) return false;
    const ageMs = clock.now() - Date.parse(session.created_at);
    return ageMs >= 0 && ageMs < FRESH_MS;
  }

  /** Fails with `FORBIDDEN` unless it is; `otherwise` tells what else would do. */
  require(actor: Actor, otherwise: string): void {
    if (this.isFresh(actor)) return;
    throw new RportError("FORBIDDEN", `The sign-in is not fresh any more. ${otherwise}`);
  }
}
