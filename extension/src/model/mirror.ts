import {
  type Change,
  changesTo,
  ENTITIES,
  ENTITY_NAMES,
  type Entity,
  type EntityChange,
  type EntityLists,
  type EntityValue,
  type EventMessage,
  type ListName,
  type Piece,
  type Snapshot,
} from "@rport/protocol/events";
import type { Tunnel } from "@rport/protocol/model";
import type { ServerStatus } from "@rport/protocol/serverStatus";
import { t } from "@vscode/l10n";
import { LOCALE } from "../support/locale.ts";
import { weightOf } from "../support/weight.ts";
import { type EntityMaps, emptyMaps } from "./entityMaps.ts";

/** A change of a thing; undefined means: not there. Both undefined cannot be. */
export type Swap<E extends Entity> = {
  readonly [K in E]: {
    readonly entity: K;
    readonly id: string;
    readonly before: EntityValue<K> | undefined;
    readonly after: EntityValue<K> | undefined;
  };
}[E];

/** A change together with what stood there before. */
export type MirrorChange =
  | { readonly entity: "server"; readonly after: ServerStatus }
  | Swap<Entity>;

/**
 * What a message did: nothing yet, because it is a part of something; everything is new; some
 * things changed; or messages are missing before it.
 */
export type Applied =
  | { readonly kind: "partial" }
  | { readonly kind: "reset" }
  | { readonly kind: "changed"; readonly changes: readonly MirrorChange[] }
  | { readonly kind: "gap" }
  /** More than any server has; nothing more is to be taken from this one. */
  | { readonly kind: "flood"; readonly reason: string };

/** Many times as many of a kind as a server has by its own limits. */
const THINGS_MAX = 50_000;
/**
 * Memory, in about, for all that a server tells: what it may have on record of all its hosts
 * (`record_bytes`), and a quarter more for the rest.
 */
const ALL_MAX_BYTES = 320 << 20;
/** What each message of a snapshot counts, so that there is an end also of such that say nothing. */
const MESSAGE_BYTES = 4 << 10;

/** A snapshot of which more is to come. */
interface Arriving {
  readonly head: Snapshot;
  readonly lists: EntityLists[];
  /** How many have come, by the name of their list. */
  readonly counts: Map<string, number>;
  /** The memory that it takes so far, in about. */
  bytes: number;
}

/**
 * One server's model, as last told by its event socket. It keeps its content while offline, and
 * until the last message of the next snapshot has come.
 */
export class Mirror {
  /** The things that there are; changed by messages alone. */
  readonly maps: EntityMaps = emptyMaps();
  status: ServerStatus | undefined;
  readonly #tunnelsByClient = new Map<string, Map<string, Tunnel>>();
  #seq: number | undefined;
  /** The memory of all things, in about. */
  #bytes = 0;
  #arriving: Arriving | undefined;

  /** Whether a snapshot has ever come in. */
  get isFilled(): boolean {
    return this.status !== undefined;
  }

  /** Open tunnels of the server to this client. */
  tunnelsOf(clientId: string): readonly Tunnel[] {
    return [...(this.#tunnelsByClient.get(clientId)?.values() ?? [])];
  }

  /** How many open tunnels of the server lead to this client. */
  tunnelCountOf(clientId: string): number {
    return this.#tunnelsByClient.get(clientId)?.size ?? 0;
  }

  /** Takes a message over. After a `gap` nothing was taken over: connect again for a snapshot. */
  apply(message: EventMessage): Applied {
    if (message.type === "snapshot")
      this.#arriving = { head: message, lists: [], counts: new Map(), bytes: 0 };
    if (message.type !== "delta") return this.#gather(message);
    if (this.#arriving !== undefined) return { kind: "gap" };
    if (this.#seq === undefined || message.seq !== this.#seq + 1) return { kind: "gap" };
    this.#seq = message.seq;
    const changes = message.changes.map((change) => this.#change(change));
    for (const change of changes) {
      if (change.entity !== "server")
        this.#bytes += weightOf(change.after) - weightOf(change.before);
    }
    const flooded = ENTITY_NAMES.find((entity) => this.#mapOf(entity).size > THINGS_MAX);
    if (flooded !== undefined) return tooMany(ENTITIES[flooded].list);
    if (this.#bytes > ALL_MAX_BYTES) return tooMuch();
    return { kind: "changed", changes };
  }

  /** No more comes of what was on its way. */
  abandon(): void {
    this.#arriving = undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.abandon();
    for (const entity of ENTITY_NAMES) this.#mapOf(entity).clear();
    this.#tunnelsByClient.clear();
    this.#bytes = 0;
    this.#seq = undefined;
    this.status = undefined;
  }

  #mapOf<E extends Entity>(entity: E): Map<string, EntityValue<E>> {
    // the table names the list, and thereby the map, of each kind
    return this.maps[ENTITIES[entity].list] as Map<string, EntityValue<E>>;
  }

  #gather(message: Snapshot | Piece): Applied {
    const arriving = this.#arriving;
    if (arriving?.head.seq !== message.seq) return { kind: "gap" };
    for (const { list } of Object.values(ENTITIES)) {
      const count = (arriving.counts.get(list) ?? 0) + message[list].length;
      if (count > THINGS_MAX) return tooMany(list);
      arriving.counts.set(list, count);
      arriving.bytes += weightOf(message[list]);
    }
    arriving.bytes += MESSAGE_BYTES;
    if (arriving.bytes > ALL_MAX_BYTES) return tooMuch();
    arriving.lists.push(message);
    if (message.more) return { kind: "partial" };
    this.#fill(arriving);
    return { kind: "reset" };
  }

  #fill({ head, lists, bytes }: Arriving): void {
    this.clear();
    this.#bytes = bytes;
    this.#seq = head.seq;
    this.status = head.server;
    for (const part of lists) for (const change of changesTo(part)) this.#change(change);
  }

  #change(change: Change): MirrorChange {
    if (change.entity === "server") {
      this.status = change.value;
      return { entity: "server", after: change.value };
    }
    const changed = this.#put(change);
    if (changed.entity === "tunnel") this.#reindex(changed);
    return changed;
  }

  #put<E extends Entity>({ entity, id, value }: EntityChange<E>): Swap<E> {
    const map = this.#mapOf(entity);
    const before = map.get(id);
    if (value === null) map.delete(id);
    else map.set(id, value);
    return { entity, id, before, after: value ?? undefined };
  }

  #reindex({ before, after }: Swap<"tunnel">): void {
    if (before !== undefined) this.#unindex(before);
    if (after !== undefined) this.#index(after);
  }

  #index(tunnel: Tunnel): void {
    const ofClient = this.#tunnelsByClient.get(tunnel.client_id) ?? new Map<string, Tunnel>();
    this.#tunnelsByClient.set(tunnel.client_id, ofClient.set(tunnel.id, tunnel));
  }

  #unindex(tunnel: Tunnel): void {
    const ofClient = this.#tunnelsByClient.get(tunnel.client_id);
    ofClient?.delete(tunnel.id);
    if (ofClient?.size === 0) this.#tunnelsByClient.delete(tunnel.client_id);
  }
}

/** What the lists of a snapshot are lists of. */
const THINGS: Readonly<Record<ListName<Entity>, string>> = {
  clients: t("clients"),
  credentials: t("credentials"),
  tunnels: t("tunnels"),
  pairings: t("pairings"),
  joins: t("joins"),
  refusals: t("refusals"),
  users: t("users"),
};

function tooMany(list: ListName<Entity>): Applied {
  const many = THINGS_MAX.toLocaleString(LOCALE);
  return {
    kind: "flood",
    reason: t("It tells of more than {0} {1}, and no server has so many.", many, THINGS[list]),
  };
}

function tooMuch(): Applied {
  const many = (ALL_MAX_BYTES >> 20).toLocaleString(LOCALE);
  return {
    kind: "flood",
    reason: t("It tells of more than {0} MiB, and no server has so much.", many),
  };
}
