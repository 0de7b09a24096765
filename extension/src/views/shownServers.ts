import type { Node } from "../model/node.ts";
import { type GroupKey, ShownClients } from "../model/shown/shownClients.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { Arrangements } from "./arrangements.ts";

/** What the clients of all servers are arranged from. */
export interface ShownServersDeps {
  readonly fleet: Fleet;
  readonly arrangements: Arrangements;
}

/** How much has to be done before the clients of a server can be shown. */
type Staleness = "none" | "groups" | "all";

/** The clients of one server as they are shown. */
export interface Shown {
  readonly clients: ShownClients;
  /** The rows of each group by client, so that one client that comes or goes costs no search for the others. */
  readonly rows: Map<GroupKey, Map<string, Node>>;
  /** The rows of each group for hosts that went together, as they were listed last. */
  readonly outages: Map<GroupKey, readonly Node[]>;
}

interface Kept extends Shown {
  staleness: Staleness;
}

/** The clients of each server as they are shown, arranged when somebody asks. */
export class ShownServers {
  readonly #deps: ShownServersDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: ShownServersDeps) {
    this.#deps = deps;
  }

  /** The clients of a server, arranged by now. */
  of(server: Server): Shown {
    const kept: Kept = this.#kept.get(server.key) ?? {
      clients: new ShownClients(),
      rows: new Map(),
      outages: new Map(),
      staleness: "all",
    };
    this.#kept.set(server.key, kept);
    if (kept.staleness === "none") return kept;
    kept.rows.clear();
    kept.outages.clear();
    const arrangement = this.#deps.arrangements.of(server.key);
    if (kept.staleness === "all") kept.clients.reset(server.mirror, arrangement, server.name);
    else kept.clients.regroup(arrangement);
    kept.staleness = "none";
    return kept;
  }

  /** The same, unless it is on its way to be shown anew, or nobody has looked yet. */
  upToDate(serverKey: string): Shown | undefined {
    const kept = this.#kept.get(serverKey);
    return kept?.staleness === "none" ? kept : undefined;
  }

  /** How many clients there are, how many are shown, and how many are hidden because they are offline. */
  counts(): { readonly shown: number; readonly total: number; readonly hidden: number } {
    let shown = 0;
    let total = 0;
    let hidden = 0;
    for (const server of this.#deps.fleet.servers) {
      const { clients } = this.of(server);
      shown += clients.size;
      total += clients.total;
      hidden += clients.hidden;
    }
    return { shown, total, hidden };
  }

  /** Whether a client that is known is left out: by the filter, or because it is offline. */
  isHidden(serverKey: string, clientId: string): boolean {
    const server = this.#deps.fleet.get(serverKey);
    if (server?.mirror.maps.clients.has(clientId) !== true) return false;
    return this.of(server).clients.groupsOf(clientId).length === 0;
  }

  /** The clients are to be shown in another arrangement: in other groups, or in another order, too. */
  rearrange(staleness: "groups" | "all"): void {
    for (const kept of this.#kept.values()) {
      if (kept.staleness !== "all") kept.staleness = staleness;
    }
  }

  /** Makes ready for a filter that somebody is about to type. */
  prepareFilter(): void {
    for (const server of this.#deps.fleet.servers) this.of(server).clients.prepare();
  }

  /** All of one server may be other clients; without a key, of every server. */
  forget(serverKey?: string): void {
    if (serverKey === undefined) this.#kept.clear();
    else this.#kept.delete(serverKey);
  }
}
