import type { AuthId } from "@rport/protocol/ids";
import { errorText, type Log } from "../../platform/log.ts";
import type { ForgetEdit } from "../../store/edits/clientEdit.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ClientPort } from "../ports.ts";
import type { Rotations } from "./rotations.ts";
import type { RotationTimers } from "./timers.ts";

/** What the follower acts on. */
export interface RotationFollowerDeps {
  readonly ledger: Ledger;
  readonly store: Pick<EditStore, "commit">;
  readonly clients: Pick<ClientPort, "clientOf">;
  readonly rotations: Pick<Rotations, "check">;
  readonly timers: Pick<RotationTimers, "cancel">;
  readonly log: Log;
}

/** Lets rotations go on when clients that they waited for have gone, or cannot move any more. */
export class RotationFollower {
  readonly #deps: RotationFollowerDeps;

  constructor(deps: RotationFollowerDeps) {
    this.#deps = deps;
  }

  /** To be called with edits that are in force. */
  follow(edits: readonly Edit[]): void {
    for (const edit of edits) if (edit.kind === "forget") this.#forgotten(edit);
    const ended = edits.flatMap((edit) => (edit.kind === "mark" ? edit.credential : []));
    for (const id of ended) this.#deps.timers.cancel(id);
    for (const id of new Set(edits.flatMap(fewerWait))) void this.#deps.rotations.check(id);
  }

  /**
   * No rotation waits for a client whose record was removed. One that only came in with another
   * credential may come back, and is waited for.
   */
  #forgotten({ client }: ForgetEdit): void {
    const { ledger, store, clients, log } = this.#deps;
    if (clients.clientOf(client) !== undefined) return;
    const waiting = ledger.all().filter((entry) => entry.shiftOf(client) !== undefined);
    const edits = waiting.map(
      ({ id: credential }): Edit => ({ kind: "clearShifts", credential, client }),
    );
    if (edits.length === 0) return;
    store.commit(edits).catch((caught: unknown) => {
      const reason = errorText(caught);
      log.warn("a rotation still waits for a client that is gone", { reason });
    });
  }
}

/** The credential whose rotation may have one client less to wait for. */
function fewerWait(edit: Edit): AuthId[] {
  switch (edit.kind) {
    case "seen":
      return edit.former === undefined ? [] : [edit.former];
    case "revokeClient":
      return [edit.record.client_auth_id];
    case "forget":
    case "revoke":
    case "rebind":
      return [edit.credential];
    case "clearShifts":
      return edit.client === undefined ? [] : [edit.credential];
    default:
      return [];
  }
}
