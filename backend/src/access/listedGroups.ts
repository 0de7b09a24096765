import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { Clock } from "../platform/clock.ts";
import { inSlices } from "../platform/slices.ts";
import type { Edit } from "../store/edits/edit.ts";
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
 * only takes rights away; what a crash leaves there goes at the next start. From the lists of groups of
 * clients a group goes with the edit that removes it.
 */
export class ListedGroups {
  readonly #deps: ListedGroupsDeps;

  constructor(deps: ListedGroupsDeps) {
    this.#deps = deps;
  }

  /** Takes this group off the clients' lists. */
  takeOff(gone: string): Promise<void> {
    return this.#keepOfClients((name) => name !== gone);
  }

  /** Takes every group off that is not there; at a start, while nobody changes anything. */
  async takeOffUnknown(): Promise<void> {
    const { store, people } = this.#deps;
    const isKept = (name: string): boolean =>
      name === ADMINISTRATORS || people.group(name) !== undefined;
    await this.#keepOfClients(isKept);
    const edits = people.clientGroups().flatMap((group): Edit[] => {
      const kept = group.allowed_user_groups.filter(isKept);
      if (kept.length === group.allowed_user_groups.length) return [];
      return [{ kind: "putClientGroup", record: { ...group, allowed_user_groups: kept } }];
    });
    if (edits.length > 0) await store.commit(edits);
  }

  async #keepOfClients(isKept: (name: string) => boolean): Promise<void> {
    const { store, clients, clock } = this.#deps;
    await inSlices(clients.records(), { clock }, (record) => {
      const kept = record.allowed_user_groups.filter(isKept);
      if (kept.length === record.allowed_user_groups.length) return;
      store.announce([{ kind: "acl", record: { ...record, allowed_user_groups: kept } }]);
    });
  }
}
