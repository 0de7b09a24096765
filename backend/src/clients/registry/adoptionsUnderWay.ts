import type { ClientId } from "@rport/protocol/ids";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** What an adoption of a record brings about. */
export interface AdoptionPlan {
  /** The record of both. Throws when they must stay two. */
  readonly merge: (to: ClientRecord, from: ClientRecord, isFromConnected: boolean) => ClientRecord;
  /** What becomes of the host's secrets; on disk together with the record, in force after it. */
  readonly edits: readonly SecretEdit[];
}

/** Records that are going into one another; nobody joins as one of them meanwhile. */
export class AdoptionsUnderWay {
  readonly #running = new Map<ClientId, Promise<void>>();

  /** An adoption that one of these records is part of; there may be another one after it. */
  of(...ids: readonly ClientId[]): Promise<void> | undefined {
    return ids.map((id) => this.#running.get(id)).find((adoption) => adoption !== undefined);
  }

  /** These records are part of one until `settled` resolves; it never rejects. */
  async run(ids: readonly ClientId[], settled: Promise<void>): Promise<void> {
    for (const id of ids) this.#running.set(id, settled);
    await settled;
    for (const id of ids) this.#running.delete(id);
  }
}
