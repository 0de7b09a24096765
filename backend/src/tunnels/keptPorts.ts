import type { ClientId } from "@rport/protocol/ids";
import type { Edit } from "../store/edits/edit.ts";
import type { EditStore } from "../store/edits/editStore.ts";
import type { ClientRecord } from "../store/records/clientRecord.ts";

type Remembering = Pick<ClientRecord, "id" | "tunnels">;

/**
 * The ports of remembered tunnels, open or not: they belong to their clients, also while these are
 * away. Follows what is on record; each step takes the same time however many clients there are.
 */
export class KeptPorts {
  /** Of each port who keeps it, and whether only because it was given to it at random. */
  readonly #keepers = new Map<number, Map<ClientId, boolean>>();
  readonly #portsOf = new Map<ClientId, readonly number[]>();

  /** Those of these records, and of whatever is changed in them from now on. */
  static following(records: Iterable<Remembering>, store: Pick<EditStore, "follow">): KeptPorts {
    const kept = new KeptPorts();
    for (const record of records) kept.#keep(record);
    store.follow((edits) => {
      for (const edit of edits) kept.#follow(edit);
    });
    return kept;
  }

  /** Whether another client keeps the port; `firmly`: not just because it happened to get it. */
  isOthers(port: number, client: string, firmly = false): boolean {
    const keepers = this.#keepers.get(port);
    if (keepers === undefined || keepers.has(client as ClientId)) return false;
    return !firmly || [...keepers.values()].includes(false);
  }

  #follow(edit: Edit): void {
    switch (edit.kind) {
      case "seen":
      case "tunnels":
        this.#keep(edit.record);
        return;
      case "adopt":
        this.#drop(edit.from.client);
        this.#keep(edit.record);
        return;
      case "forget":
        this.#drop(edit.client);
        return;
      default:
    }
  }

  #keep({ id, tunnels }: Remembering): void {
    this.#drop(id);
    if (tunnels.length === 0) return;
    this.#portsOf.set(
      id,
      tunnels.map(({ lport }) => Number(lport)),
    );
    for (const { lport, lport_random: isRandom } of tunnels) {
      const port = Number(lport);
      const keepers = this.#keepers.get(port) ?? new Map<ClientId, boolean>();
      this.#keepers.set(port, keepers.set(id, isRandom));
    }
  }

  #drop(id: ClientId): void {
    for (const port of this.#portsOf.get(id) ?? []) {
      const keepers = this.#keepers.get(port);
      keepers?.delete(id);
      if (keepers?.size === 0) this.#keepers.delete(port);
    }
    this.#portsOf.delete(id);
  }
}
