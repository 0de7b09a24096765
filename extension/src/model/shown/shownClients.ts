import type { Client } from "@rport/protocol/model";
import type { Mirror, Swap } from "../mirror.ts";
import { type SortedEntry, SortedList } from "../sortedList.ts";
import { Aside, type AsideRules, callersOf } from "./aside.ts";
import { NO_FILTER } from "./filter.ts";
import { type Group, type Grouping, groupOrder, groupValues, PINNED } from "./grouping.ts";
import { Matcher } from "./matches.ts";
import { type Outage, Outages } from "./outages.ts";
import { type Sorting, sortKey } from "./sorting.ts";

/** How the clients of a server are shown. */
export interface Arrangement extends AsideRules {
  readonly groupBy: Grouping;
  readonly sortBy: Sorting;
}

/** How they are shown when nobody has said anything. */
export const USUAL: Arrangement = {
  filter: NO_FILTER,
  groupBy: "status",
  sortBy: "name",
  pinned: new Set(),
  hidesOffline: false,
  wanted: new Set(),
};

const IN_PINNED: readonly GroupKey[] = [PINNED.by];

/** A group with its clients in order. */
interface Members {
  readonly group: Group;
  readonly clients: SortedList;
}

/** The id of a group among those of one server. */
export type GroupKey = string;

/** The id of a group: pinned clients are no value of anything. */
export function keyOfGroup({ by, value }: Group): GroupKey {
  return by === "pinned" ? by : `=${value}`;
}

/**
 * The clients of one server that fit a filter, in groups, in order; kept up to date in place. A client
 * that somebody pinned is in that group alone.
 */
export class ShownClients {
  readonly #all = new SortedList();
  readonly #groups = new Map<GroupKey, Members>();
  readonly #order = new SortedList();
  /** In which groups clients are, in order, by what they have of that by which they are in groups. */
  readonly #keys = new Map<string, readonly GroupKey[]>();
  #clients: ReadonlyMap<string, Client> = new Map();
  #size = 0;
  #arrangement = USUAL;
  #serverName = "";
  readonly #matcher = new Matcher();
  readonly #aside = new Aside();
  readonly #outages = new Outages();

  /** Ids of the groups that have a client, in order. The array is the same one until that changes. */
  get groupKeys(): readonly GroupKey[] {
    return this.#order.ids;
  }

  /** How many clients are shown. */
  get size(): number {
    return this.#size;
  }

  /** How many clients there are. */
  get total(): number {
    return this.#all.size;
  }

  /** How many clients are left out for no other reason than that they are offline. */
  get hidden(): number {
    return this.#aside.size;
  }

  /** What a group stands for. */
  group(key: GroupKey): Group {
    return this.#groups.get(key)?.group ?? PINNED;
  }

  /** The clients of a group in order. The array is the same one until that changes. */
  idsOf(key: GroupKey): readonly string[] {
    return this.#groups.get(key)?.clients.ids ?? [];
  }

  /** How many clients a group has. */
  sizeOf(key: GroupKey): number {
    return this.#groups.get(key)?.clients.size ?? 0;
  }

  /** The groups that a client is shown in, in order; none when the filter leaves it out. */
  groupsOf(clientId: string): readonly GroupKey[] {
    return this.#placesOf(this.#clients.get(clientId));
  }

  /** Whether a group is the first one that a client of it is in. */
  isFirst(key: GroupKey, clientId: string): boolean {
    if (this.#arrangement.groupBy !== "tag") return true;
    const client = this.#clients.get(clientId);
    return client === undefined || this.#keysOf(client)[0] === key;
  }

  /** Whether there are hosts that went together. */
  get hasOutages(): boolean {
    return this.#outages.size > 0;
  }

  /** The outage in whose row a client stands; one that somebody pinned stands for itself. */
  outageOf(clientId: string): Outage | undefined {
    return this.#arrangement.pinned.has(clientId) ? undefined : this.#outages.of(clientId);
  }

  /** Arranges everything anew. */
  reset(mirror: Mirror, arrangement: Arrangement, serverName: string): void {
    this.#arrange(arrangement, serverName);
    this.#aside.callers = callersOf(mirror);
    this.#matcher.clear();
    this.#keys.clear();
    // of the same clients in another order, those that went together stay in their row, though it is for two by now
    if (this.#clients !== mirror.maps.clients) this.#outages.reset(mirror.maps.clients.values());
    this.#clients = mirror.maps.clients;
    this.#all.fill(Array.from(this.#clients.values(), (client) => this.#entryOf(client)));
    this.#group();
  }

  /** Shows those that fit another filter, in other groups; the order stays. */
  regroup(arrangement: Arrangement): void {
    this.#arrange(arrangement, this.#serverName);
    this.#group();
  }

  /** Looks at all that a filter may ask for, so that the first letter of one is as quick as the others. */
  prepare(): void {
    for (const client of this.#clients.values()) this.#matcher.prepare(client);
  }

  /** Takes over a change of one client. Answers the groups whose clients or order changed. */
  update(change: Swap<"client">): ReadonlySet<GroupKey> {
    const moved = this.#move(change);
    for (const id of this.#outages.update(change)) {
      for (const key of this.groupsOf(id)) if (this.#renew(key)) moved.add(key);
    }
    return moved;
  }

  /** Takes over who knocks at the server's door, which has offline clients shown. Answers as `update` does. */
  called(mirror: Mirror): ReadonlySet<GroupKey> {
    const callers = callersOf(mirror);
    const moved = this.#aside
      .othersThan(callers)
      .map((id) => this.#clients.get(id))
      .filter((client) => client !== undefined)
      .map((client) => ({ client, places: this.#placesOf(client) }));
    this.#aside.callers = callers;
    const keys = moved.flatMap(({ client, places }) => {
      const swap = { entity: "client", id: client.id, before: client, after: client } as const;
      return [...this.#move(swap, places)];
    });
    return new Set(keys);
  }

  #move({ id, before, after }: Swap<"client">, then = this.#placesOf(before)): Set<GroupKey> {
    this.#matcher.forget(id);
    const now = this.#placesOf(after);
    this.#aside.note(id, after !== undefined && this.#isAside(after));
    if (then.length > 0) this.#size -= 1;
    if (now.length > 0) this.#size += 1;
    const left = then.filter((key) => !now.includes(key) && this.#leave(key, id));
    if (after === undefined) {
      this.#all.delete(id);
      return new Set(left);
    }
    const entry = this.#entryOf(after);
    this.#all.set(id, entry.key);
    const joined = now.filter((key) => this.#join(key, entry));
    const renewed = then[0] === now[0] ? [] : now.filter((key) => this.#renew(key));
    return new Set([...left, ...joined, ...renewed]);
  }

  /** The groups that a client is in, if it is shown. */
  #placesOf(client: Client | undefined): readonly GroupKey[] {
    if (client === undefined || this.#aside.hides(client)) return [];
    return this.#matcher.fits(client) ? this.#keysOf(client) : [];
  }

  /** Whether it would be shown if it were online. */
  #isAside(client: Client): boolean {
    return this.#aside.hides(client) && this.#matcher.fits(client);
  }

  #arrange(arrangement: Arrangement, serverName: string): void {
    if (arrangement.groupBy !== this.#arrangement.groupBy) this.#keys.clear();
    this.#arrangement = arrangement;
    this.#serverName = serverName;
    this.#matcher.set(arrangement.filter, serverName);
    this.#aside.set(arrangement);
  }

  /** Walks them in order, so that no group has to be sorted. */
  #group(): void {
    this.#groups.clear();
    this.#size = 0;
    this.#aside.clear();
    for (const client of this.#clients.values()) {
      if (this.#isAside(client)) this.#aside.note(client.id, true);
    }
    const lists = new Map<GroupKey, SortedEntry[]>();
    for (const entry of this.#all.entries) {
      const keys = this.groupsOf(entry.id);
      if (keys.length > 0) this.#size += 1;
      for (const key of keys) {
        const list = lists.get(key);
        if (list === undefined) lists.set(key, [entry]);
        else list.push(entry);
      }
    }
    for (const [key, list] of lists) this.#membersOf(key).clients.fill(list);
    this.#order.fill([...this.#groups].map(([id, { group }]) => ({ id, key: groupOrder(group) })));
  }

  #keysOf(client: Client): readonly GroupKey[] {
    const { groupBy, pinned } = this.#arrangement;
    if (pinned.has(client.id)) return IN_PINNED;
    const values = groupValues(client, groupBy);
    const [only = ""] = values;
    const all = values.length === 1 ? only : values.join("\n");
    const known = this.#keys.get(all);
    if (known !== undefined) return known;
    const keys = values
      .map((value) => ({ by: groupBy, value }))
      .map((group) => ({ key: keyOfGroup(group), order: groupOrder(group) }))
      .sort((a, b) => (a.order < b.order ? -1 : 1))
      .map(({ key }) => key);
    this.#keys.set(all, keys);
    return keys;
  }

  #membersOf(key: GroupKey): Members {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const by = this.#arrangement.groupBy;
    const group = key === keyOfGroup(PINNED) ? PINNED : { by, value: key.slice(1) };
    const members = { group, clients: new SortedList() };
    this.#groups.set(key, members);
    return members;
  }

  #entryOf(client: Client): SortedEntry {
    return { id: client.id, key: sortKey(client, this.#arrangement.sortBy) };
  }

  #join(key: GroupKey, entry: SortedEntry): boolean {
    const { group, clients } = this.#membersOf(key);
    if (clients.size === 0) this.#order.set(key, groupOrder(group));
    return clients.set(entry.id, entry.key);
  }

  /** Where else a client stands says how it stands in a group. */
  #renew(key: GroupKey): boolean {
    const members = this.#groups.get(key);
    members?.clients.renewIds();
    return members !== undefined;
  }

  #leave(key: GroupKey, id: string): boolean {
    const members = this.#groups.get(key);
    const isLeft = members?.clients.delete(id) ?? false;
    if (members?.clients.size === 0) {
      this.#groups.delete(key);
      this.#order.delete(key);
    }
    return isLeft;
  }
}
