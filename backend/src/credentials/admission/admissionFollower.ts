import type { AuthId, ClientId } from "@rport/protocol/ids";
import { credentialOf, type Edit } from "../../store/edits/edit.ts";
import type { Admissions } from "./admissions.ts";
import type { JoinGate } from "./joinGate.ts";
import type { WaitingRoom } from "./waitingRoom.ts";

/** What the follower acts on. */
export interface AdmissionFollowerDeps {
  readonly gate: Pick<JoinGate, "recheck">;
  readonly waitingRoom: Pick<WaitingRoom, "known" | "drop">;
  readonly admissions: Pick<Admissions, "recorded">;
}

/** Keeps those who wait, and those who are on their way in, in step with what is on record. */
export class AdmissionFollower {
  readonly #deps: AdmissionFollowerDeps;

  constructor(deps: AdmissionFollowerDeps) {
    this.#deps = deps;
  }

  /** To be called with edits that are in force. */
  follow(edits: readonly Edit[]): void {
    for (const edit of edits) this.#followClient(edit);
    for (const id of new Set(edits.flatMap(changedCredential))) this.#deps.gate.recheck(id);
  }

  #followClient(edit: Edit): void {
    const { waitingRoom, admissions } = this.#deps;
    const gone = goneRecord(edit);
    if (gone !== undefined) {
      waitingRoom.drop(({ client_id: id, reason }) => id === gone && reason !== "new");
    }
    if (edit.kind === "revokeClient") {
      waitingRoom.drop((join) => join.client_id === edit.record.id);
    }
    if (edit.kind !== "seen" || edit.record.disconnected_at !== null) return;
    const { client_auth_id: authId, id } = edit.record;
    waitingRoom.known(id);
    admissions.recorded(authId, id);
  }
}

/** The client that has no record any more: there is nobody that another one could be taken for. */
function goneRecord(edit: Edit): ClientId | undefined {
  if (edit.kind === "forget") return edit.client;
  return edit.kind === "adopt" ? edit.from.client : undefined;
}

/** A login alone changes nothing about who may come in. */
function changedCredential(edit: Edit): AuthId[] {
  const id = edit.kind === "used" ? undefined : credentialOf(edit);
  return id === undefined ? [] : [id];
}
