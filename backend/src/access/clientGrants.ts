import type { ClientId } from "@rport/protocol/ids";
import type { ClientGroupId } from "@rport/protocol/people/clientGroup";
import type { GroupName } from "@rport/protocol/people/user";
import { ItemTexts } from "../lists/itemTexts.ts";
import type { Clock } from "../platform/clock.ts";
import { inSlices } from "../platform/slices.ts";
import { unlistedFor } from "../store/edits/personEdit.ts";
import type { ClientGroupRecord } from "../store/records/clientGroupRecord.ts";
import type { ClientRecord } from "../store/records/clientRecord.ts";
import { type Counts, type Granted, GrantTally } from "./grantTally.ts";
import { type GroupFit, groupFit } from "./groupFit.ts";

/** What the index needs. */
export interface ClientGrantsDeps {
  readonly clients: {
    record(id: ClientId): ClientRecord | undefined;
    records(): Iterable<ClientRecord>;
  };
  readonly isConnected: (id: ClientId) => boolean;
  readonly clock: Pick<Clock, "monotonic">;
}

interface KnownGroup {
  readonly record: ClientGroupRecord;
  readonly fit: GroupFit;
  readonly members: Set<ClientId>;
}

interface KnownClient extends Granted {
  readonly groups: readonly ClientGroupId[];
}

const NOTHING: KnownClient = { groups: [], grants: [], isConnected: false };

/**
 * Which groups of clients each client is in, and which groups of users may see it because of those
 * and of its own list. A change of a client costs as much as there are groups, a change of a group
 * one look at each client, some milliseconds per turn of the event loop.
 */
export class ClientGrants {
  readonly #deps: ClientGrantsDeps;
  readonly #groups = new Map<ClientGroupId, KnownGroup>();
  readonly #clients = new Map<ClientId, KnownClient>();
  readonly #tally = new GrantTally();
  /** Looks at all clients that are under way. */
  readonly #passes = new Set<Promise<void>>();
  readonly #listeners: ((id: ClientId) => void)[] = [];
  #version = 0;

  constructor(deps: ClientGrantsDeps) {
    this.#deps = deps;
  }

  /** Tells the listener whenever who may see a client, or what groups it is in, has changed. */
  follow(listener: (id: ClientId) => void): void {
    this.#listeners.push(listener);
  }

  /** Another number whenever a listener is told something. */
  get version(): number {
    return this.#version;
  }

  /** The groups of clients that the client is in, by id. */
  groupsOf(id: ClientId): readonly ClientGroupId[] {
    return this.#clients.get(id)?.groups ?? [];
  }

  /** The groups of users that may see the client. */
  grantsOf(id: ClientId): readonly string[] {
    return this.#clients.get(id)?.grants ?? [];
  }

  /** Who is in a group of clients, in no particular order. */
  membersOf(id: ClientGroupId): Iterable<ClientId> {
    return this.#groups.get(id)?.members ?? [];
  }

  /** How many clients these groups of users may see. */
  seenBy(groups: readonly string[]): Counts {
    return this.#tally.seenBy(new Set(groups));
  }

  /** Takes these groups, and looks at every client, as at a start. */
  async readAll(groups: readonly ClientGroupRecord[]): Promise<void> {
    const { clients, clock } = this.#deps;
    for (const group of groups) this.#enter(group);
    await inSlices(clients.records(), { clock }, ({ id }) => this.refresh(id));
  }

  /** Resolves when no look at all clients, because of a group, is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#passes);
  }

  /** The client came, went, or is not what it was. */
  refresh(id: ClientId): void {
    const record = this.#deps.clients.record(id);
    if (record === undefined) {
      this.#drop(id);
      return;
    }
    const isConnected = this.#deps.isConnected(id);
    const texts = new ItemTexts({ record, isConnected });
    const groups: ClientGroupId[] = [];
    for (const [groupId, { fit, members }] of this.#groups) {
      if (!fit(texts)) {
        members.delete(id);
        continue;
      }
      members.add(id);
      groups.push(groupId);
    }
    this.#put(record, groups.sort(), isConnected);
  }

  /** The group is there, in the place of the one before; resolves when all clients follow it. */
  putGroup(record: ClientGroupRecord): Promise<void> {
    this.#enter(record);
    return this.#pass(record.id, this.#deps.clients.records());
  }

  /** The group is gone; resolves when nobody is in it any more. */
  dropGroup(id: ClientGroupId): Promise<void> {
    const members = [...this.membersOf(id)];
    this.#groups.delete(id);
    return this.#pass(
      id,
      members.flatMap((member) => this.#deps.clients.record(member) ?? []),
    );
  }

  /** The group of users is gone; resolves when nobody sees anything by it any more. */
  async dropUsers(group: GroupName): Promise<void> {
    const listing = [...this.#groups.values()].map(({ record }) => record);
    const changed = listing.filter((record) => record.allowed_user_groups.includes(group));
    await Promise.all(changed.map((record) => this.putGroup(unlistedFor(record, group))));
  }

  #enter(record: ClientGroupRecord): void {
    const members = this.#groups.get(record.id)?.members ?? new Set();
    this.#groups.set(record.id, { record, fit: groupFit(record.params), members });
  }

  #pass(id: ClientGroupId, records: Iterable<ClientRecord>): Promise<void> {
    const pass = this.#refreshAll(id, records).finally(() => this.#passes.delete(pass));
    this.#passes.add(pass);
    return pass;
  }

  async #refreshAll(id: ClientGroupId, records: Iterable<ClientRecord>): Promise<void> {
    const { clients, clock } = this.#deps;
    await inSlices(records, { clock }, (seen) => {
      // An earlier turn may have seen what is gone by now.
      const record = clients.record(seen.id);
      if (record !== undefined) this.#refreshOne(record, id);
    });
  }

  /** Looks at one group only, as it is now. */
  #refreshOne(record: ClientRecord, groupId: ClientGroupId): void {
    const { id } = record;
    const isConnected = this.#deps.isConnected(id);
    const group = this.#groups.get(groupId);
    const isIn = group?.fit(new ItemTexts({ record, isConnected })) ?? false;
    if (isIn) group?.members.add(id);
    else group?.members.delete(id);
    const others = this.groupsOf(id).filter((other) => other !== groupId);
    if (!isIn && others.length === this.groupsOf(id).length) return;
    this.#put(record, isIn ? [...others, groupId].sort() : others, isConnected);
  }

  #put(record: ClientRecord, groups: readonly ClientGroupId[], isConnected: boolean): void {
    const { id, allowed_user_groups: own } = record;
    const before = this.#clients.get(id);
    const ofGroups = groups.flatMap((group) => {
      return this.#groups.get(group)?.record.allowed_user_groups ?? [];
    });
    const grants = [...new Set([...own, ...ofGroups])].sort();
    if (before !== undefined) this.#tally.remove(before);
    const now = { groups, grants, isConnected };
    this.#clients.set(id, now);
    this.#tally.add(now);
    if (!isSame(now, before ?? NOTHING)) this.#tell(id);
  }

  #drop(id: ClientId): void {
    const before = this.#clients.get(id);
    if (before === undefined) return;
    this.#clients.delete(id);
    this.#tally.remove(before);
    for (const group of before.groups) this.#groups.get(group)?.members.delete(id);
    if (!isSame(NOTHING, before)) this.#tell(id);
  }

  #tell(id: ClientId): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener(id);
  }
}

function isSame(one: KnownClient, other: KnownClient): boolean {
  return isEqual(one.groups, other.groups) && isEqual(one.grants, other.grants);
}

function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, n) => text === other[n]);
}
