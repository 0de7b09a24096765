import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** Which records came in last with each credential; no scans. */
export class RecordIndex {
  readonly #idsOf = new Map<AuthId, Set<ClientId>>();

  /** The records of a credential. */
  of(id: AuthId): readonly ClientId[] {
    return [...(this.#idsOf.get(id) ?? [])];
  }

  /** How many records a credential has. */
  countOf(id: AuthId): number {
    return this.#idsOf.get(id)?.size ?? 0;
  }

  /** The record is there. */
  add({ id, client_auth_id: authId }: ClientRecord): void {
    const ids = this.#idsOf.get(authId) ?? new Set();
    this.#idsOf.set(authId, ids.add(id));
  }

  /** The record is gone, or is about to be another credential's. */
  remove({ id, client_auth_id: authId }: ClientRecord): void {
    const ids = this.#idsOf.get(authId);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsOf.delete(authId);
  }
}
