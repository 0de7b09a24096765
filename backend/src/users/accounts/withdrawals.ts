import { RportError } from "@rport/protocol/errors";
import { type Arrears, failureOf, notDurable } from "../../credentials/ledger/arrears.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { PersonEdit } from "../../store/edits/personEdit.ts";
import type { AccountEntry } from "./accountEntry.ts";
import type { AccountLedger } from "./accountLedger.ts";

/** What withdrawals need. */
export interface WithdrawalsDeps {
  readonly ledger: Pick<AccountLedger, "get">;
  readonly store: Pick<EditStore, "announce" | "settle">;
  readonly arrears: Pick<Arrears, "owe">;
}

/** Something that is taken from a user, and opens nothing from then on. */
export interface Withdrawal {
  readonly entry: AccountEntry;
  /** The edits, for the name that the user has when they are written. */
  readonly edits: (user: AccountEntry["record"]["username"]) => readonly PersonEdit[];
  /** Asked before it is written later: whether somebody has given it back meanwhile. Absent: never. */
  readonly isDue?: () => boolean;
  /** What is in force, as a sentence without its end. */
  readonly done: string;
}

/**
 * Takes away what opens something in a user's name: in memory at once, so that no disk, however slow
 * or full, keeps it alive; then durably.
 */
export class Withdrawals {
  readonly #deps: WithdrawalsDeps;

  constructor(deps: WithdrawalsDeps) {
    this.#deps = deps;
  }

  /**
   * Is in force before this returns, and resolves when it is on disk. Fails with `NOT_DURABLE` when
   * the disk does not take it: then it is written as soon as the disk does, and a restart before
   * brings back what there was. The edits have to be such that they can be made again then.
   */
  async make(withdrawal: Withdrawal): Promise<void> {
    const { store, arrears } = this.#deps;
    const { entry, edits, done, isDue = () => true } = withdrawal;
    store.announce(edits(entry.record.username));
    const failure = await failureOf(() => this.#settle(withdrawal));
    if (failure === undefined) return;
    arrears.owe(async () => {
      if (isDue()) await this.#settle(withdrawal);
    });
    throw notDurable(done, failure);
  }

  async #settle({ entry, edits }: Withdrawal): Promise<void> {
    try {
      await this.#deps.store.settle(edits(entry.record.username));
    } catch (caught) {
      if (RportError.from(caught).code !== "NOT_FOUND") throw caught;
      // The user has gone, with everything, or is about to be seen under another name.
      if (!this.#isThere(entry)) return;
      throw new RportError("UNAVAILABLE", "The user was renamed meanwhile.", { cause: caught });
    }
  }

  #isThere(entry: AccountEntry): boolean {
    return this.#deps.ledger.get(entry.record.username) === entry;
  }
}
