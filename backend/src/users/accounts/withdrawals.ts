import { RportError } from "@rport/protocol/errors";
import { type Arrears, failureOf, notDurable } from "../../credentials/ledger/arrears.ts";
import { isAccountEdit } from "../../store/edits/accountEdit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { PersonEdit } from "../../store/edits/personEdit.ts";
import type { AccountEntry } from "./accountEntry.ts";
import type { AccountLedger } from "./accountLedger.ts";

/** What withdrawals need. */
export interface WithdrawalsDeps {
  readonly ledger: Pick<AccountLedger, "get">;
  readonly store: Pick<EditStore, "announce" | "commit">;
  readonly arrears: Pick<Arrears, "owe">;
}

/** Something that is taken from a user, and opens nothing from then on. */
export interface Withdrawal {
  readonly entry: AccountEntry;
  /** The edits, for the name that the user has when they are written. */
  readonly edits: EditsFor;
  /** What is in force, as a sentence without its end. */
  readonly done: string;
}

type EditsFor = (user: AccountEntry["record"]["username"]) => readonly PersonEdit[];

/**
 * Takes away what opens something in a user's name: in memory at once, so that no disk, however slow
 * or full, keeps it alive; then durably, with what was being made with it meanwhile.
 */
export class Withdrawals {
  readonly #deps: WithdrawalsDeps;

  constructor(deps: WithdrawalsDeps) {
    this.#deps = deps;
  }

  /**
   * Is in force before this returns, and resolves when it is on disk. Fails with `NOT_DURABLE` when
   * the disk does not take it: then it is written as soon as the disk does, unless somebody has given it back,
   * and a restart before brings back what there was. The edits have to be such that they can be made again then.
   */
  async make(withdrawal: Withdrawal): Promise<void> {
    const { store, arrears } = this.#deps;
    const { entry, edits, done } = withdrawal;
    const ahead = edits(entry.record.username);
    const held = ahead.filter(isAccountEdit);
    entry.hold(held);
    store.announce(ahead);
    const isDue = () => held.length === 0 || entry.holds(held);
    const write = async () => {
      if (isDue()) await this.#commit(entry, edits);
      await this.#endHeirs(entry);
      entry.release(held);
    };
    const failure = await failureOf(write).catch((caught: unknown) => {
      entry.release(held);
      throw caught;
    });
    if (failure === undefined) return;
    arrears.owe(write);
    throw notDurable(done, failure);
  }

  /** What was made meanwhile with what was taken is on disk by then: nobody was told its secret. */
  async #endHeirs(entry: AccountEntry): Promise<void> {
    const { heirs } = entry;
    if (heirs.length === 0) return;
    await this.#commit(entry, (user) => heirs.map((edit) => ({ ...edit, user })));
    entry.release(heirs);
  }

  /** Told once more now that it is durable, in the order of the disk. */
  async #commit(entry: AccountEntry, edits: EditsFor): Promise<void> {
    try {
      await this.#deps.store.commit(edits(entry.record.username));
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
