import type { AuthId, ClientId } from "@rport/protocol/ids";
import { errorText, type Log } from "../../platform/log.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort } from "../ports.ts";
import type { Rotations } from "./rotations.ts";
import type { RotationTimers } from "./timers.ts";
import { isUnderWay } from "./underWay.ts";

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
    this.#forget(edits.flatMap((edit) => (edit.kind === "forget" ? edit.client : [])));
    const ended = edits.flatMap((edit) => (edit.kind === "mark" ? edit.credential : []));
    for (const id of ended) this.#deps.timers.cancel(id);
    for (const id of new Set(edits.flatMap(fewerWait))) void this.#deps.rotations.check(id);
  }

  /**
   * No rotation waits for clients whose records were removed. One that only came in with another
   * credential may come back, and is waited for.
   */
  #forget(ids: readonly ClientId[]): void {
    const { ledger, store, clients, log } = this.#deps;
    const gone = ids.filter((id) => clients.clientOf(id) === undefined);
    if (gone.length === 0) return;
    const edits = ledger
      .all()
      .filter(isUnderWay)
      .flatMap((entry) => clearEdits(entry, gone));
    if (edits.length === 0) return;
    store.commit(edits).catch((caught: unknown) => {
      const reason = errorText(caught);
      log.warn("a rotation still waits for a client that is gone", { reason });
    });
  }
}

function clearEdits(entry: LedgerEntry, clients: readonly ClientId[]): Edit[] {
  const waiting = clients.filter((client) => entry.shiftOf(client) !== undefined);
  return waiting.map((client) => ({ kind: "clearShifts", credential: entry.id, client }));
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
    case "shifted":
      return edit.to.state === "done" ? [edit.credential] : [];
    case "clearShifts":
      return edit.client === undefined ? [] : [edit.credential];
    default:
      return [];
  }
}
