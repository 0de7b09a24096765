import type { ClientId } from "@rport/protocol/ids";
import type { ClientRecord } from "../../store/clientRecord.ts";
import type { SecretEdit } from "../../store/secretEdit.ts";

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

  /** The adoption that the client's record is part of. */
  of(id: ClientId): Promise<void> | undefined {
    return this.#running.get(id);
  }

  /** Resolves when none of these records is part of an adoption. */
  async ended(ids: readonly ClientId[]): Promise<void> {
    for (let next = this.#next(ids); next !== undefined; next = this.#next(ids)) await next;
  }

  /** These records are part of one until `settled` resolves; it never rejects. */
  async run(ids: readonly ClientId[], settled: Promise<void>): Promise<void> {
    for (const id of ids) this.#running.set(id, settled);
    await settled;
    for (const id of ids) this.#running.delete(id);
  }

  #next(ids: readonly ClientId[]): Promise<void> | undefined {
    return ids.map((id) => this.#running.get(id)).find((adoption) => adoption !== undefined);
  }
}
