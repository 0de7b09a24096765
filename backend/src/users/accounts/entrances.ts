import type { TokenPrefix } from "@rport/protocol/people/token";
import type { Clock } from "../../platform/clock.ts";
import { noSuchUser } from "../../store/edits/accountEdit.ts";
import type { AccountEntry } from "./accountEntry.ts";
import type { AccountLedger } from "./accountLedger.ts";
import type { Withdrawals } from "./withdrawals.ts";

/** What the ending of entrances needs. */
export interface EntrancesDeps {
  readonly ledger: Pick<AccountLedger, "get">;
  readonly withdrawals: Pick<Withdrawals, "make">;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Ends tokens and sessions. What ends opens nothing before these return; all fail with `NOT_FOUND`
 * for a user who is not there, and with `NOT_DURABLE` as `Withdrawals.make`.
 */
export class Entrances {
  readonly #deps: EntrancesDeps;

  constructor(deps: EntrancesDeps) {
    this.#deps = deps;
  }

  /** Ends a personal token. */
  async endToken(name: string, prefix: TokenPrefix): Promise<void> {
    const { withdrawals, clock } = this.#deps;
    const atMs = clock.now();
    await withdrawals.make({
      entry: this.#need(name),
      edits: (user) => [{ kind: "endToken", user, prefix, atMs }],
      done: "The token opens nothing any more",
    });
  }

  /** Ends one session. */
  async endSession(name: string, session: number): Promise<void> {
    await this.#endSessions(this.#need(name), [session], "The session has ended");
  }

  /** Ends every session that there is now, also those that owe a code. */
  async endSessions(name: string): Promise<void> {
    const entry = this.#need(name);
    const ids = entry.sessions().map(({ session_id: id }) => id);
    await this.#endSessions(entry, ids, "The sessions have ended");
  }

  /** By their ids: one that begins later goes on when this is written only then. */
  async #endSessions(entry: AccountEntry, ids: readonly number[], done: string): Promise<void> {
    await this.#deps.withdrawals.make({
      entry,
      edits: (user) => ids.map((session) => ({ kind: "endSession", user, session })),
      done,
    });
  }

  #need(name: string): AccountEntry {
    const entry = this.#deps.ledger.get(name);
    if (entry === undefined) throw noSuchUser();
    return entry;
  }
}
