import type { Client } from "@rport/protocol/model";
import { statusOf } from "../arrange.ts";
import type { Swap } from "../mirror.ts";
import { networkOf } from "./grouping.ts";

/** Hosts that were lost within this much of each other went together. */
const TOGETHER_MS = 60_000;
/** From so many on, it is one piece of news rather than several. */
const FORMED_FROM = 3;
/** A row for several hosts stays until there are fewer: one that flaps is not to make it come and go. */
const FORMED_UNTIL = 2;

/** Hosts of one network that went within a minute and are still away. */
export interface Outage {
  /** Unlike any other of the same server. */
  readonly key: string;
  /** Behind which address they were. */
  readonly network: string;
  /** When the first of them went, in milliseconds since the epoch. */
  readonly atMs: number;
}

interface Kept extends Outage {
  atMs: number;
  lastMs: number;
  /** Whether it is one row. */
  isFormed: boolean;
  readonly members: Set<string>;
}

/** Nothing changed: the usual case, so that it costs nothing. */
const NONE: ReadonlySet<string> = new Set();

/** Which hosts of a server went together, kept up to date in place. */
export class Outages {
  /** By network; the ones that began last are at the end. */
  readonly #byNetwork = new Map<string, Kept[]>();
  readonly #byClient = new Map<string, Kept>();
  #formed = 0;

  /** How many are worth a row. */
  get size(): number {
    return this.#formed;
  }

  /** The outage that a client is in, if that is worth a row. */
  of(clientId: string): Outage | undefined {
    const kept = this.#byClient.get(clientId);
    return kept?.isFormed === true ? kept : undefined;
  }

  /** Looks at all clients anew. What was one row stays one as long as it would have with each change told alone. */
  reset(clients: Iterable<Client>): void {
    const rows = new Set([...this.#byClient.values()].filter(({ isFormed }) => isFormed));
    this.#byNetwork.clear();
    this.#byClient.clear();
    this.#formed = 0;
    const lost: (Lost & { readonly id: string })[] = [];
    for (const client of clients) {
      const how = lostOf(client);
      if (how !== undefined) lost.push({ id: client.id, network: how.network, atMs: how.atMs });
    }
    lost.sort((a, b) => a.atMs - b.atMs);
    for (const each of lost) this.#join(each.id, each);
    for (const row of rows) this.#keepFormed(row.members);
  }

  /** Takes over a change of one client. Answers the clients that stand otherwise in their groups now. */
  update({ id, before, after }: Swap<"client">): ReadonlySet<string> {
    const then = before === undefined ? undefined : lostOf(before);
    const now = after === undefined ? undefined : lostOf(after);
    if (then?.atMs === now?.atMs && then?.network === now?.network) return NONE;
    const moved = new Set<string>(this.#leave(id));
    if (now !== undefined) for (const each of this.#join(id, now)) moved.add(each);
    return moved;
  }

  /** Makes one row of those who are still away of these, which were one. */
  #keepFormed(members: ReadonlySet<string>): void {
    for (const id of members) {
      const kept = this.#byClient.get(id);
      if (kept === undefined || kept.isFormed) continue;
      const still = [...kept.members].filter((each) => members.has(each));
      if (still.length >= FORMED_UNTIL) this.#form(kept);
    }
  }

  #form(kept: Kept): void {
    kept.isFormed = true;
    this.#formed += 1;
  }

  #leave(id: string): Iterable<string> {
    const kept = this.#byClient.get(id);
    if (kept === undefined) return NONE;
    this.#byClient.delete(id);
    kept.members.delete(id);
    if (kept.members.size === 0) this.#forget(kept);
    if (!kept.isFormed) return NONE;
    if (kept.members.size >= FORMED_UNTIL) return [id];
    kept.isFormed = false;
    this.#formed -= 1;
    return [id, ...kept.members];
  }

  #join(id: string, { network, atMs }: Lost): Iterable<string> {
    const kept = this.#find(network, atMs) ?? this.#begin(network, atMs);
    kept.atMs = Math.min(kept.atMs, atMs);
    kept.lastMs = Math.max(kept.lastMs, atMs);
    kept.members.add(id);
    this.#byClient.set(id, kept);
    if (kept.isFormed) return [id];
    if (kept.members.size < FORMED_FROM) return NONE;
    this.#form(kept);
    return kept.members;
  }

  /** Whoever is lost now is near the end. */
  #find(network: string, atMs: number): Kept | undefined {
    const list = this.#byNetwork.get(network) ?? [];
    for (let n = list.length - 1; n >= 0; n -= 1) {
      const kept = list[n];
      if (kept === undefined || kept.atMs < atMs - TOGETHER_MS) return undefined;
      const [first, last] = [Math.min(kept.atMs, atMs), Math.max(kept.lastMs, atMs)];
      if (last - first <= TOGETHER_MS) return kept;
    }
    return undefined;
  }

  #begin(network: string, atMs: number): Kept {
    const key = `${atMs}/${network}`;
    const kept = { key, network, atMs, lastMs: atMs, isFormed: false, members: new Set<string>() };
    const list = this.#byNetwork.get(network) ?? [];
    this.#byNetwork.set(network, list);
    const before = list.findLastIndex((each) => each.atMs <= atMs);
    list.splice(before + 1, 0, kept);
    return kept;
  }

  #forget(kept: Kept): void {
    const list = this.#byNetwork.get(kept.network) ?? [];
    list.splice(list.indexOf(kept), 1);
    if (list.length === 0) this.#byNetwork.delete(kept.network);
  }
}

interface Lost {
  readonly network: string;
  readonly atMs: number;
}

/**
 * When and where a client was lost; undefined: it is there, or went for a reason of its own, such as an agent that
 * was stopped. Hosts that come through this machine itself share no network.
 */
function lostOf(client: Client): Lost | undefined {
  const { address, disconnected_at: at, connection_end: end, revoked_at: revokedAt } = client;
  if (statusOf(client) === "online" || at === null || revokedAt !== null) return undefined;
  if (end !== null && end.kind !== "lost" && end.kind !== "silent") return undefined;
  if (address === "" || /^(127\.|::1$)/.test(address)) return undefined;
  return { network: networkOf(address), atMs: Date.parse(at) };
}
