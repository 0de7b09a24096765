import type { Change, EventMessage, Snapshot } from "@rport/protocol/events";
import type {
  Client,
  Credential,
  Join,
  Pairing,
  Refusal,
  ServerStatus,
  Tunnel,
} from "@rport/protocol/model";

/** A change together with what stood there before; both undefined cannot be. */
export type MirrorChange =
  | { readonly entity: "server"; readonly after: ServerStatus }
  | Changed<"client", Client>
  | Changed<"credential", Credential>
  | Changed<"tunnel", Tunnel>
  | Changed<"pairing", Pairing>
  | Changed<"join", Join>
  | Changed<"refusal", Refusal>;

/** A change of one entity; undefined means: not there. */
interface Changed<E extends string, T> {
  readonly entity: E;
  readonly id: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** What a message did: everything is new, some things changed, or messages are missing before it. */
export type Applied =
  | { readonly kind: "reset" }
  | { readonly kind: "changed"; readonly changes: readonly MirrorChange[] }
  | { readonly kind: "gap" };

/** Key of a server tunnel, as the event socket has it. */
export function tunnelKey(tunnel: Pick<Tunnel, "client_id" | "id">): string {
  return `${tunnel.client_id}/${tunnel.id}`;
}

/** One server's model, as last told by its event socket. It keeps its content while offline. */
export class Mirror {
  readonly clients = new Map<string, Client>();
  readonly credentials = new Map<string, Credential>();
  readonly tunnels = new Map<string, Tunnel>();
  readonly pairings = new Map<string, Pairing>();
  readonly joins = new Map<string, Join>();
  readonly refusals = new Map<string, Refusal>();
  status: ServerStatus | undefined;
  readonly #tunnelsByClient = new Map<string, Map<string, Tunnel>>();
  #seq: number | undefined;

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
    if (message.type === "snapshot") {
      this.#fill(message);
      return { kind: "reset" };
    }
    if (this.#seq === undefined || message.seq !== this.#seq + 1) return { kind: "gap" };
    this.#seq = message.seq;
    return { kind: "changed", changes: message.changes.map((change) => this.#change(change)) };
  }

  /** Forgets everything. */
  clear(): void {
    for (const map of this.#maps()) map.clear();
    this.#tunnelsByClient.clear();
    this.#seq = undefined;
    this.status = undefined;
  }

  #maps(): readonly Map<string, unknown>[] {
    const { clients, credentials, tunnels, pairings, joins, refusals } = this;
    return [clients, credentials, tunnels, pairings, joins, refusals];
  }

  #fill(snapshot: Snapshot): void {
    this.#seq = snapshot.seq;
    this.status = snapshot.server;
    this.#tunnelsByClient.clear();
    refill(this.clients, snapshot.clients, (client) => client.id);
    refill(this.credentials, snapshot.credentials, (credential) => credential.id);
    refill(this.tunnels, snapshot.tunnels, tunnelKey);
    refill(this.pairings, snapshot.pairings, (pairing) => pairing.id);
    refill(this.joins, snapshot.joins, (join) => join.id);
    refill(this.refusals, snapshot.refusals, (refusal) => refusal.id);
    for (const tunnel of snapshot.tunnels) this.#index(tunnel);
  }

  #change(change: Change): MirrorChange {
    switch (change.entity) {
      case "server":
        this.status = change.value;
        return { entity: "server", after: change.value };
      case "client":
        return { entity: "client", id: change.id, ...put(this.clients, change.id, change.value) };
      case "credential":
        return {
          entity: "credential",
          id: change.id,
          ...put(this.credentials, change.id, change.value),
        };
      case "tunnel": {
        const swapped = put(this.tunnels, change.id, change.value);
        if (swapped.before !== undefined) this.#unindex(swapped.before);
        if (swapped.after !== undefined) this.#index(swapped.after);
        return { entity: "tunnel", id: change.id, ...swapped };
      }
      case "pairing":
        return {
          entity: "pairing",
          id: change.id,
          ...put(this.pairings, change.id, change.value),
        };
      case "join":
        return { entity: "join", id: change.id, ...put(this.joins, change.id, change.value) };
      case "refusal":
        return {
          entity: "refusal",
          id: change.id,
          ...put(this.refusals, change.id, change.value),
        };
    }
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

function refill<T>(map: Map<string, T>, values: readonly T[], keyOf: (value: T) => string): void {
  map.clear();
  for (const value of values) map.set(keyOf(value), value);
}

function put<T>(map: Map<string, T>, key: string, value: T | null) {
  const before = map.get(key);
  if (value === null) map.delete(key);
  else map.set(key, value);
  return { before, after: value ?? undefined };
}
