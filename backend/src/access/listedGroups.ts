import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { Clock } from "../platform/clock.ts";
import { inSlices } from "../platform/slices.ts";
import type { EditStore } from "../store/edits/editStore.ts";
import type { ClientRecord } from "../store/records/clientRecord.ts";
import type { ClientGroupsDeps } from "./clientGroups.ts";

/** Where groups of users are listed as those who may see something. */
export interface ListedGroupsDeps {
  readonly store: Pick<EditStore, "announce" | "commit">;
  readonly clients: { records(): Iterable<ClientRecord> };
  readonly people: ClientGroupsDeps["people"];
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * Takes groups of users that are gone off every list of who may see what: a group that is made later
 * under the same name must not see anything by that. The clients' lists run ahead of the disk, as this
 * only takes rights away; what a crash leaves there goes at the next start.
 */
export class ListedGroups {
  readonly #deps: ListedGroupsDeps;

  constructor(deps: ListedGroupsDeps) {
    this.#deps = deps;
  }

  /** Takes this group off. */
  takeOff(gone: string): Promise<void> {
    return this.#keep((name) => name !== gone);
  }

  /** Takes every group off that is not there. */
  takeOffUnknown(): Promise<void> {
    const { people } = this.#deps;
    return this.#keep((name) => name === ADMINISTRATORS || people.group(name) !== undefined);
  }

  async #keep(isKept: (name: string) => boolean): Promise<void> {
    const { store, clients, people, clock } = this.#deps;
    await inSlices(clients.records(), { clock }, (record) => {
      const kept = record.allowed_user_groups.filter(isKept);
      if (kept.length === record.allowed_user_groups.length) return;
      store.announce([{ kind: "acl", record: { ...record, allowed_user_groups: kept } }]);
    });
    for (const { id } of people.clientGroups()) {
      // Others change groups while this one writes: what counts is how they are at each turn.
      const group = people.clientGroup(id);
      if (group === undefined) continue;
      const kept = group.allowed_user_groups.filter(isKept);
      if (kept.length === group.allowed_user_groups.length) continue;
      const record = { ...group, allowed_user_groups: kept };
      await store.commit([{ kind: "putClientGroup", record }]);
    }
  }
}
