import type { Ended, UserName } from "@rport/protocol/people/user";
import type { PairingService } from "../../pairing/pairingService.ts";
import type { Pairings } from "../../pairing/pairings.ts";
import type { SocketCounts } from "../accounts/socketCounts.ts";
import type { UserViews } from "../accounts/userViews.ts";
import type { Withdrawal, Withdrawals } from "../accounts/withdrawals.ts";
import type { Invitations } from "../invitations/invitations.ts";

/** What ends with a user. */
export interface EndingsDeps {
  readonly users: Pick<UserViews, "get">;
  readonly sockets: SocketCounts;
  readonly pairings: Pick<Pairings, "openBy">;
  readonly pairingService: Pick<PairingService, "revokeBy">;
  readonly invitations: Pick<Invitations, "countBy" | "revokeBy">;
  readonly withdrawals: Pick<Withdrawals, "make">;
}

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
   * Takes the user's rights away, which ends tokens and sessions; resolves with what ended when all
   * of it is gone, within a second. Nothing works from the moment on at which this is called. Fails
   * with `NOT_DURABLE` as `Withdrawals.make`, after everything has ended all the same.
   */
  async by(withdrawal: Withdrawal): Promise<Ended> {
    const { username: user } = withdrawal.entry.record;
    let failure: unknown;
    const ended = await this.#end(user, async () => {
      await this.#deps.withdrawals.make(withdrawal).catch((caught: unknown) => {
        failure = caught;
      });
    });
    if (failure !== undefined) throw failure;
    return ended;
  }

  async #end(user: UserName, withdraw: () => Promise<void>): Promise<Ended> {
    const { sockets, pairingService, invitations } = this.#deps;
    const { tokens, sessions } = this.preview(user);
    const watch = sockets.watch(user);
    const withdrawn = withdraw();
    const closed = watch.finish();
    const invited = invitations.revokeBy(user);
    const pairings = await pairingService.revokeBy(user);
    const { sockets: open, editorConnections } = await closed;
    await withdrawn;
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
