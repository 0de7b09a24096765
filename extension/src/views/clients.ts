import { STATUSES, type Status, statusOf } from "../model/arrange.ts";
import type { Node } from "../model/node.ts";
import { refusalText } from "../model/rows/serverRow.ts";
import type { FleetChange } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { ArrangedChange } from "../servers/serverChange.ts";
import {
  ALL,
  changedServerTunnel,
  changedTunnel,
  type Dirty,
  hasServerRows,
  openTunnelNodes,
  rootsOf,
  type SourceDeps,
  serverDirty,
  serverNode,
  stateDirty,
  type TreeSource,
} from "./source.ts";

/**
 * The clients view: servers if several, Online and Offline, clients, their tunnels. A lone server
 * has a row while it refuses the sign-in: below the message that says why, nothing else would be
 * there to act on.
 */
export class ClientsSource implements TreeSource {
  readonly #deps: SourceDeps;
  /** Rows of a group by its list of ids, which is a new array whenever it changes. */
  readonly #rows = new WeakMap<readonly string[], readonly Node[]>();

  /** The groups of each server when they were asked for last. */
  readonly #asked = new Map<string, string>();
  /** Whether a lone server had a row when the roots were asked for last. */
  #hadRefused = false;

  constructor(deps: SourceDeps) {
    this.#deps = deps;
  }

  roots(): readonly Node[] {
    const refused = this.#refused;
    this.#hadRefused = refused !== undefined;
    if (refused !== undefined) {
      return [this.#deps.nodes.get({ kind: "server", serverKey: refused.key })];
    }
    return rootsOf(this.#deps, (server) => this.#groups(server));
  }

  children(node: Node): readonly Node[] {
    const server = this.#deps.fleet.get(node.serverKey);
    if (server === undefined) return [];
    if (node.kind === "server") return this.#groups(server);
    if (node.kind === "group") return this.#clients(server, node.status);
    return node.kind === "client" ? openTunnelNodes(this.#deps, server.key, node.clientId) : [];
  }

  parent(node: Node): Node | undefined {
    const { fleet, nodes } = this.#deps;
    const { serverKey } = node;
    if (node.kind === "group") return serverNode(this.#deps, serverKey);
    if (node.kind === "localTunnel" || node.kind === "serverTunnel") {
      return nodes.get({ kind: "client", serverKey, clientId: node.clientId, place: "clients" });
    }
    if (node.kind !== "client") return undefined;
    const client = fleet.client(serverKey, node.clientId);
    if (client === undefined) return undefined;
    return nodes.get({ kind: "group", serverKey, status: statusOf(client) });
  }

  affected(event: FleetChange): readonly Dirty[] {
    switch (event.kind) {
      case "servers":
        return ALL;
      case "localTunnel": {
        const node = changedTunnel(this.#deps, event);
        if (node !== undefined) return [{ kind: "row", node }];
        return this.#client(event.tunnel.serverKey, event.tunnel.clientId, "subtree");
      }
      case "server": {
        const { server, change } = event;
        if (change.kind === "state") return this.#state(server);
        if (change.kind === "reset") return serverDirty(this.#deps, server.key);
        return change.changes.flatMap((each) => this.#changed(server, each));
      }
    }
  }

  /** The lone server, if it refuses the sign-in. */
  get #refused(): Server | undefined {
    const [only] = this.#deps.fleet.servers;
    if (only === undefined || hasServerRows(this.#deps)) return undefined;
    return refusalText(only.state) === undefined ? undefined : only;
  }

  #state(server: Server): readonly Dirty[] {
    const isRefused = this.#refused !== undefined;
    return isRefused || this.#hadRefused ? ALL : stateDirty(this.#deps, server.key);
  }

  #changed(server: Server, { change, rearranged }: ArrangedChange): readonly Dirty[] {
    if (change.entity === "tunnel") {
      const node = changedServerTunnel(this.#deps, server.key, change);
      if (node !== undefined) return [{ kind: "row", node }];
      const clientId = (change.after ?? change.before)?.client_id ?? "";
      return this.#client(server.key, clientId, "subtree");
    }
    if (change.entity !== "client") return [];
    const moved = [...(rearranged?.statuses ?? [])].flatMap((status) =>
      this.#group(server, status),
    );
    const counts = moved.length > 0 ? stateDirty(this.#deps, server.key) : [];
    return [...moved, ...counts, ...this.#client(server.key, change.id, "row")];
  }

  /**
   * A group is stale; when groups came or went, so is the level above. One message may bring many
   * clients, so the groups that were asked for last are what counts, not this one change.
   */
  #group(server: Server, status: Status): readonly Dirty[] {
    if (this.#asked.get(server.key) !== this.#statuses(server).join()) {
      return serverDirty(this.#deps, server.key);
    }
    const node = this.#deps.nodes.find({ kind: "group", serverKey: server.key, status });
    return node === undefined ? [] : [{ kind: "subtree", node }];
  }

  #client(serverKey: string, clientId: string, kind: "row" | "subtree"): readonly Dirty[] {
    const place = "clients";
    const node = this.#deps.nodes.find({ kind: "client", serverKey, clientId, place });
    return node === undefined ? [] : [{ kind, node }];
  }

  #groups(server: Server): readonly Node[] {
    const statuses = this.#statuses(server);
    this.#asked.set(server.key, statuses.join());
    return statuses.map((status) =>
      this.#deps.nodes.get({ kind: "group", serverKey: server.key, status }),
    );
  }

  #statuses(server: Server): readonly Status[] {
    return STATUSES.filter((status) => server.clients.countOf(status) > 0);
  }

  #clients(server: Server, status: Status): readonly Node[] {
    const ids = server.clients.withStatus(status);
    const known = this.#rows.get(ids);
    if (known !== undefined) return known;
    const serverKey = server.key;
    const rows = ids.map((clientId) =>
      this.#deps.nodes.get({ kind: "client", serverKey, clientId, place: "clients" }),
    );
    this.#rows.set(ids, rows);
    return rows;
  }
}
