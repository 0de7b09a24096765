import type { ClientId } from "@rport/protocol/ids";
import type { ClientGroupId } from "@rport/protocol/people/clientGroup";
import type { GroupName } from "@rport/protocol/people/user";
import type { OnFault } from "@rport/protocol/wire/contain";
import { ItemTexts } from "../lists/itemTexts.ts";
import type { Clock } from "../platform/clock.ts";
import { Lane } from "../platform/lane.ts";
import { inSlices } from "../platform/slices.ts";
import { unlistedFor } from "../store/edits/personEdit.ts";
import type { ClientGroupRecord } from "../store/records/clientGroupRecord.ts";
import type { ClientRecord } from "../store/records/clientRecord.ts";
import { type Counts, type Granted, GrantTally } from "./grantTally.ts";
import { type GroupableClient, type GroupFit, groupFit } from "./groupFit.ts";
import { PatternCount } from "./patternCount.ts";

/** What the index needs. */
export interface ClientGrantsDeps {
  readonly clients: {
    record(id: ClientId): ClientRecord | undefined;
    records(): Iterable<ClientRecord>;
  };
  readonly isConnected: (id: ClientId) => boolean;
  readonly clock: Pick<Clock, "monotonic">;
  /** Told what is thrown in a later turn. */
  readonly onFault: OnFault;
}

/** So many comparisons of texts, a millisecond's work, are made at once for a client. */
const TESTS_AT_ONCE = 10_000;

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
 * and of its own list. A change of a client costs as much as there are groups, and is followed at once
 * where that is little; else it waits for its credential's turn, because tags are what agents say, and
 * is in the groups that it was in until then. A change of a group costs one look at each client. Both
 * take some milliseconds per turn of the event loop.
 */
export class ClientGrants {
  readonly #deps: ClientGrantsDeps;
  readonly #groups = new Map<ClientGroupId, KnownGroup>();
  readonly #clients = new Map<ClientId, KnownClient>();
  readonly #tally = new GrantTally();
  readonly #patterns = new PatternCount();
  /** Clients that wait for a look at all groups, each credential's in turn. */
  readonly #lane = new Lane({ running: 1, waiting: Number.POSITIVE_INFINITY });
  readonly #waiting = new Set<ClientId>();
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
    await inSlices(clients.records(), { clock }, (record) => this.#lookNow(record));
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
    if (this.#patterns.testsOf(this.#textsOf(record)) <= TESTS_AT_ONCE) {
      this.#lookNow(record);
      return;
    }
    // Its own list, and whether it is connected, cost nothing.
    this.#put(record, this.groupsOf(id), this.#deps.isConnected(id));
    this.#lookLater(record);
  }

  /** The group is there, in the place of the one before; resolves when all clients follow it. */
  putGroup(record: ClientGroupRecord): Promise<void> {
    this.#enter(record);
    return this.#pass(record.id, this.#deps.clients.records());
  }

  /** The group is gone; resolves when nobody is in it any more. */
  dropGroup(id: ClientGroupId): Promise<void> {
    const members = [...this.membersOf(id)];
    this.#leave(id);
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
    this.#leave(record.id);
    this.#groups.set(record.id, { record, fit: groupFit(record.params), members });
    this.#patterns.add(record.params);
  }

  #leave(id: ClientGroupId): void {
    const known = this.#groups.get(id);
    if (known === undefined) return;
    this.#groups.delete(id);
    this.#patterns.remove(known.record.params);
  }

  #textsOf(record: ClientRecord): ItemTexts<GroupableClient> {
    return new ItemTexts({ record, isConnected: this.#deps.isConnected(record.id) });
  }

  #lookNow(record: ClientRecord): void {
    const texts = this.#textsOf(record);
    this.#settle(texts, ({ fit }) => fit(texts));
  }

  #lookLater({ id, client_auth_id: credential }: ClientRecord): void {
    if (this.#waiting.has(id)) return;
    this.#waiting.add(id);
    this.#lane.run(() => this.#look(id), credential)?.catch(this.#deps.onFault);
  }

  /** Asks all groups, as they are and as the client is when its turn has come. */
  async #look(id: ClientId): Promise<void> {
    const { clients, clock } = this.#deps;
    this.#waiting.delete(id);
    const record = clients.record(id);
    if (record === undefined) return;
    const texts = this.#textsOf(record);
    const fits = new Map<KnownGroup, boolean>();
    await inSlices([...this.#groups.values()], { clock }, (group) => {
      fits.set(group, group.fit(texts));
    });
    // Whatever has changed meanwhile was told, and is followed from here.
    if (clients.record(id) === record) {
      this.#settle(texts, (group) => fits.get(group) ?? group.fit(texts));
    } else this.refresh(id);
  }

  /** The client is in the groups for which `isIn` holds, and in no other one. */
  #settle(
    { item: { record } }: ItemTexts<GroupableClient>,
    isIn: (group: KnownGroup) => boolean,
  ): void {
    const groups: ClientGroupId[] = [];
    for (const [groupId, group] of this.#groups) {
      if (isIn(group)) {
        group.members.add(record.id);
        groups.push(groupId);
      } else group.members.delete(record.id);
    }
    this.#put(record, groups.sort(), this.#deps.isConnected(record.id));
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
