import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { ClientGroupId } from "@rport/protocol/people/clientGroup";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { EditStore } from "../store/edits/editStore.ts";
import type { ClientGroupRecord } from "../store/records/clientGroupRecord.ts";

/** What changes of who sees which clients need. */
export interface ClientGroupsDeps {
  readonly store: Pick<EditStore, "commit" | "turn">;
  readonly people: {
    /** Undefined: there is no such group of users. */
    group(name: string): unknown;
    clientGroup(id: string): ClientGroupRecord | undefined;
    clientGroups(): readonly ClientGroupRecord[];
  };
  readonly clients: {
    record(id: ClientId): unknown;
    setAcl(id: ClientId, groups: readonly string[]): Promise<void>;
  };
  /** Resolves when every client is where it belongs. */
  readonly settled: () => Promise<void>;
}

/** Throws once whoever asked may not have it any more: a change may wait for its turn while rights end. */
type RequireRight = () => void;

/** Groups of clients, and the clients' own lists of who may see them, as administrators set them. */
export class ClientGroups {
  readonly #deps: ClientGroupsDeps;

  constructor(deps: ClientGroupsDeps) {
    this.#deps = deps;
  }

  /** All groups of clients, in no particular order. */
  list(): readonly ClientGroupRecord[] {
    return this.#deps.people.clientGroups();
  }

  /** One of them. */
  get(id: ClientGroupId): ClientGroupRecord | undefined {
    return this.#deps.people.clientGroup(id);
  }

  /** A new group; fails with `CONFLICT` when there is one of that id. */
  create(record: ClientGroupRecord, requireRight: RequireRight): Promise<void> {
    return this.#inTurn(record.id, requireRight, () => this.#put("addClientGroup", record));
  }

  /** The group is as given, also where there was none; durable, and in force, when it resolves. */
  put(record: ClientGroupRecord, requireRight: RequireRight): Promise<void> {
    return this.#inTurn(record.id, requireRight, async () => {
      // RPort's programs know nothing of recordings, and turn none off.
      const { record_terminals } = this.get(record.id) ?? {};
      await this.#put("putClientGroup", { record_terminals, ...record });
    });
  }

  /** Fails with `NOT_FOUND` when there is no such group. */
  remove(group: ClientGroupId, requireRight: RequireRight): Promise<void> {
    return this.#inTurn(group, requireRight, () =>
      this.#deps.store.commit([{ kind: "removeClientGroup", group }]),
    );
  }

  /** Who may see the client; fails with `NOT_FOUND` for groups, or a client, that are not there. */
  async setAcl(id: ClientId, groups: readonly string[]): Promise<void> {
    const { clients } = this.#deps;
    this.#requireGroups(groups);
    if (clients.record(id) === undefined) {
      throw new RportError("NOT_FOUND", "There is no such client.");
    }
    await clients.setAcl(id, groups);
    // One that went while the disk was busy was taken off the lists before this one was.
    const missing = this.#missing(groups);
    if (missing.length === 0) return;
    await clients.setAcl(
      id,
      groups.filter((name) => !missing.includes(name)),
    );
    throw notFound(missing);
  }

  async #put(kind: "addClientGroup" | "putClientGroup", record: ClientGroupRecord): Promise<void> {
    this.#requireGroups(record.allowed_user_groups);
    await this.#deps.store.commit([{ kind, record }]);
  }

  /** One change of a group after the other: what is kept of it is not what is about to change. */
  async #inTurn(
    group: ClientGroupId,
    requireRight: RequireRight,
    change: () => Promise<void>,
  ): Promise<void> {
    await this.#deps.store.turn(`client group ${group}`, async () => {
      requireRight();
      await change();
    });
    await this.#deps.settled();
  }

  #requireGroups(names: readonly string[]): void {
    const missing = this.#missing(names);
    if (missing.length > 0) throw notFound(missing);
  }

  #missing(names: readonly string[]): readonly string[] {
    const { people } = this.#deps;
    return names.filter((name) => name !== ADMINISTRATORS && !people.group(name));
  }
}

function notFound(groups: readonly string[]): RportError {
  return new RportError("NOT_FOUND", `user groups not found: ${groups.join(", ")}`);
}
