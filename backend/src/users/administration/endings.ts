import { RportError } from "@rport/protocol/errors";
import type { Ended, UserName } from "@rport/protocol/people/user";
import type { Arrears } from "../../credentials/ledger/arrears.ts";
import type { PairingService } from "../../pairing/pairingService.ts";
import type { Pairings } from "../../pairing/pairings.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { PersonEdit } from "../../store/edits/personEdit.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { SocketCounts } from "../accounts/socketCounts.ts";
import type { UserViews } from "../accounts/userViews.ts";
import type { Invitations } from "../invitations/invitations.ts";

/** What ends with a user. */
export interface EndingsDeps {
  readonly ledger: AccountLedger;
  readonly edits: Pick<EditStore, "commit" | "announce" | "settle">;
  readonly users: Pick<UserViews, "get">;
  readonly sockets: SocketCounts;
  readonly pairings: Pick<Pairings, "openBy">;
  readonly pairingService: Pick<PairingService, "revokeBy">;
  readonly invitations: Pick<Invitations, "countBy" | "revokeBy">;
  readonly arrears: Pick<Arrears, "owe">;
}

/** Failures of a disk, after which taking rights away goes on in memory. */
const OF_DISK: ReadonlySet<string> = new Set(["DISK_FULL", "UNAVAILABLE"]);

/** Takes everything away that is open in a user's name, and says what it was. */
export class Endings {
  readonly #deps: EndingsDeps;

  constructor(deps: EndingsDeps) {
    this.#deps = deps;
  }

  /** What would end now. */
  preview(user: UserName): Ended {
    const { users, sockets, pairings, invitations } = this.#deps;
    const view = users.get(user);
    const open = sockets.of(user);
    return {
      tokens: view?.tokens ?? 0,
      sessions: view?.sessions ?? 0,
      sockets: open.sockets,
      editor_connections: open.editorConnections,
      pairings: pairings.openBy(user).length,
      invitations: invitations.countBy(user),
    };
  }

  /**
   * Makes the edit, which ends the user's tokens and sessions; resolves with what ended when all of
   * it is gone, within a second. Fails as the store's `commit` does; then nothing has ended.
   */
  async by(edit: PersonEdit, user: UserName): Promise<Ended> {
    const { edits } = this.#deps;
    return await this.#end(user, () => edits.commit([edit]));
  }

  /**
   * The same for a user who is disabled. A disk that does not take it stops nobody from being shut
   * out: then it is in force and written later, and this fails with `NOT_DURABLE`.
   */
  async byDisabling(edit: PersonEdit, user: UserName): Promise<Ended> {
    const { edits } = this.#deps;
    let isOwed = false;
    const ended = await this.#end(user, async () => {
      try {
        await edits.commit([edit]);
      } catch (caught) {
        if (!OF_DISK.has(RportError.from(caught).code)) throw caught;
        isOwed = true;
        edits.announce([edit]);
        this.#owe(edit, user);
      }
    });
    if (isOwed) throw notDurable(user);
    return ended;
  }

  #owe(edit: PersonEdit, user: UserName): void {
    const { arrears, edits, ledger } = this.#deps;
    arrears.owe(async () => {
      const isDue = ledger.get(user)?.record.disabled === true;
      if (isDue) await edits.settle([edit]);
    });
  }

  async #end(user: UserName, commit: () => Promise<void>): Promise<Ended> {
    const { sockets, pairingService, invitations } = this.#deps;
    const { tokens, sessions } = this.preview(user);
    const watch = sockets.watch(user);
    try {
      await commit();
    } catch (caught) {
      void watch.finish();
      throw caught;
    }
    const closed = watch.finish();
    const invited = invitations.revokeBy(user);
    const pairings = await pairingService.revokeBy(user);
    const { sockets: open, editorConnections } = await closed;
    return {
      tokens,
      sessions,
      sockets: open,
      editor_connections: editorConnections,
      pairings,
      invitations: invited,
    };
  }
}

function notDurable(user: UserName): RportError {
  return new RportError(
    "NOT_DURABLE",
    `${user} is disabled, but the server's disk did not take it: a restart undoes it until it does.`,
  );
}
