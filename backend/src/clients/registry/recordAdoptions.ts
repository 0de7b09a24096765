import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** What an adoption of a record brings about. */
export interface AdoptionPlan {
  /** The record of both. Throws when they must stay two. */
  readonly merge: (to: ClientRecord, from: ClientRecord, isFromConnected: boolean) => ClientRecord;
  /** What becomes of the host's secrets; on disk together with the record, in force after it. */
  readonly edits: readonly SecretEdit[];
}

/** What adoptions need. */
export interface RecordAdoptionsDeps {
  readonly store: Pick<EditStore, "announce" | "commit" | "settle">;
  /** The record as it is now. */
  readonly current: (id: ClientId) => ClientRecord | undefined;
  /** Whether somebody speaks for the client. */
  readonly isHeld: (id: ClientId) => boolean;
}

/** Lets a record take another one over; nobody claims the id of one of the two meanwhile. */
export class RecordAdoptions {
  readonly #deps: RecordAdoptionsDeps;
  readonly #running = new Map<ClientId, Promise<void>>();

  constructor(deps: RecordAdoptionsDeps) {
    this.#deps = deps;
  }

  /** An adoption that one of these records is part of; there may be another one after it. */
  of(...ids: readonly ClientId[]): Promise<void> | undefined {
    return ids.map((id) => this.#running.get(id)).find((adoption) => adoption !== undefined);
  }

  /**
   * The record `to` takes that of `from` over, durably. Fails with `NOT_FOUND`, with `CONFLICT`
   * while `from` is connected or as the plan does, or with `DISK_FULL`; then both are as they were.
   * Runs ahead of the disk, so that what happens to `to` meanwhile happens to the merged record.
   */
  async adopt(to: ClientId, from: ClientId, plan: AdoptionPlan): Promise<void> {
    const { store, current, isHeld } = this.#deps;
    for (let one = this.of(to, from); one; one = this.of(to, from)) await one;
    const before = this.#need(to, "There is no such client.");
    const source = this.#need(from, "There is no client whose record could be moved here.");
    const record = plan.merge(before, source, isHeld(from));
    const name = { client: from, credential: source.client_auth_id };
    const adopt: Edit = { kind: "adopt", record, from: name };
    store.announce([adopt]);
    const done = store.commit(plan.edits, [adopt]);
    const settled = done.catch(() => this.#takeBack(before, record, source));
    for (const id of [to, from]) this.#running.set(id, settled);
    await settled;
    for (const id of [to, from]) this.#running.delete(id);
    await done;
    // Somebody deleted the client at the very moment: its row came back with the adoption.
    if (current(to) === undefined) {
      await store.settle([{ kind: "forget", client: to, credential: record.client_auth_id }]);
    }
  }

  /** Both records as they were, save what happened to `before` meanwhile. */
  #takeBack(before: ClientRecord, merged: ClientRecord, source: ClientRecord): void {
    const { store, current } = this.#deps;
    const now = current(before.id);
    const own = new Set(before.tunnels.map(({ id }) => id));
    const moved = new Set(merged.tunnels.map(({ id }) => id).filter((id) => !own.has(id)));
    const { name, tags, labels, adopted, given } = before;
    const { first_seen_at, allowed_user_groups } = before;
    if (now !== undefined) {
      const tunnels = now.tunnels.filter(({ id }) => !moved.has(id));
      const attributes = { name, tags, labels, adopted, given };
      const kept = { ...attributes, first_seen_at, allowed_user_groups };
      store.announce([{ kind: "seen", record: { ...now, ...kept, tunnels } }]);
    }
    store.announce([{ kind: "seen", record: source }]);
  }

  #need(id: ClientId, otherwise: string): ClientRecord {
    const record = this.#deps.current(id);
    if (record === undefined) throw new RportError("NOT_FOUND", otherwise);
    return record;
  }
}
