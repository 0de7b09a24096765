import { displayName } from "../model/arrange.ts";
import type { Swap } from "../model/mirror.ts";
import type { ClientNode, GroupNode, Node, OutageNode } from "../model/node.ts";
import { outageRow } from "../model/rows/outageRow.ts";
import type { Row } from "../model/rows/row.ts";
import { refusalText } from "../model/rows/serverRow.ts";
import type { Group } from "../model/shown/grouping.ts";
import { type GroupKey, keyOfGroup, type ShownClients } from "../model/shown/shownClients.ts";
import type { FleetChange } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { ArrangedChange } from "../servers/serverChange.ts";
import type { Arrangements } from "./arrangements.ts";
import { GroupRows } from "./groupRows.ts";
import type { LastTree } from "./lastShown/lastTree.ts";
import { ShownServers } from "./shownServers.ts";
import {
  ALL,
  changedServerTunnel,
  changedTunnel,
  type Dirty,
  hasServerRows,
  listDirty,
  openTunnelNodes,
  rootsOf,
  type SourceDeps,
  serverDirty,
  serverNode,
  stateDirty,
  type TreeSource,
} from "./source.ts";

/** What the clients view is made from. */
export interface ClientsSourceDeps extends SourceDeps {
  readonly arrangements: Arrangements;
  /** What is shown of a server that has told nothing yet; without it, nothing is. */
  readonly last?: LastTree;
}

/** A group of the clients view, and the rows of its clients. */
export interface ListedGroup {
  readonly group: Group;
  readonly size: number;
  readonly rows: () => readonly Node[];
}

/**
 * The clients view: servers if several, groups if several, clients, their tunnels. A lone server
 * has a row while it refuses the sign-in: below the message that says why, nothing else would be
 * there to act on.
 */
export class ClientsSource implements TreeSource {
  readonly #deps: ClientsSourceDeps;
  readonly shown: ShownServers;
  readonly #rows: GroupRows;
  /** The groups of each server when they were asked for last. */
  readonly #asked = new Map<string, readonly GroupKey[]>();
  /** Whether a lone server had a row when the roots were asked for last. */
  #hadRefused = false;
  /** The servers of which rows of last time were asked for. */
  readonly #hadLast = new Set<string>();

  constructor(deps: ClientsSourceDeps) {
    this.#deps = deps;
    this.shown = new ShownServers(deps);
    this.#rows = new GroupRows(deps, this.shown);
  }

  /** Whether a filter is set. */
  get isFiltered(): boolean {
    return this.#deps.arrangements.isFiltered;
  }

  /** How many clients a group has. */
  sizeOf(node: GroupNode): number {
    const last = this.#deps.last?.sizeOf(node);
    if (last !== undefined) return last;
    const server = this.#deps.fleet.get(node.serverKey);
    return server === undefined ? 0 : this.#shownOf(server).sizeOf(keyOfGroup(node));
  }

  /** The row of hosts that went together; undefined: it stands for nothing any more. */
  outageRow(node: OutageNode, nowMs: number): Row | undefined {
    const server = this.#deps.fleet.get(node.serverKey);
    const outage = server === undefined ? undefined : this.#rows.outageOf(server, node);
    if (server === undefined || outage === undefined) return undefined;
    const hosts = this.#rows.hostsOf(server, node).length;
    return outageRow({ outage, hosts, isFiltered: this.isFiltered, nowMs });
  }

  /** The groups of a server in order. */
  groupsOf(server: Server): readonly ListedGroup[] {
    const shown = this.#shownOf(server);
    return shown.groupKeys.map((key) => ({
      group: shown.group(key),
      size: shown.sizeOf(key),
      rows: () => this.#rows.of(server, key),
    }));
  }

  roots(): readonly Node[] {
    const refused = this.#refused;
    this.#hadRefused = refused !== undefined;
    if (refused !== undefined) {
      return [this.#deps.nodes.get({ kind: "server", serverKey: refused.key })];
    }
    return rootsOf(this.#deps, (server) => this.#below(server));
  }

  children(node: Node): readonly Node[] {
    const server = this.#deps.fleet.get(node.serverKey);
    if (server === undefined) return [];
    if (node.kind === "server") return this.#below(server);
    if (node.kind === "group") {
      return this.#deps.last?.clients(node) ?? this.#rows.of(server, keyOfGroup(node));
    }
    if (node.kind === "outage") return this.#rows.hostsOf(server, node);
    if (node.kind !== "client" || node.tag !== undefined) return [];
    return openTunnelNodes(this.#deps, server.key, node.clientId);
  }

  parent(node: Node): Node | undefined {
    const { fleet, nodes } = this.#deps;
    const { serverKey } = node;
    if (node.kind === "group") return serverNode(this.#deps, serverKey);
    if (node.kind === "localTunnel" || node.kind === "serverTunnel") {
      return nodes.get({ kind: "client", serverKey, clientId: node.clientId, place: "clients" });
    }
    const server = fleet.get(serverKey);
    if (server === undefined) return undefined;
    if (node.kind === "outage") return this.#groupNode(server, keyOfGroup(node));
    return node.kind === "client" ? this.#above(server, node) : undefined;
  }

  affected(event: FleetChange): readonly Dirty[] {
    switch (event.kind) {
      case "servers":
        // one may have got another name, by which it can be filtered
        this.shown.forget();
        return ALL;
      case "localTunnel": {
        const node = changedTunnel(this.#deps, event);
        if (node !== undefined) return [{ kind: "row", node }];
        return this.#client(event.tunnel.serverKey, event.tunnel.clientId, "subtree");
      }
      case "server": {
        const { server, change } = event;
        if (change.kind === "state") return this.#state(server);
        if (change.kind === "reset") {
          this.shown.forget(server.key);
          return serverDirty(this.#deps, server.key);
        }
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
    const isLast = this.#deps.last?.below(server.key) !== undefined;
    if (this.#hadLast.has(server.key) && !isLast) return serverDirty(this.#deps, server.key);
    const isRefused = this.#refused !== undefined;
    return isRefused || this.#hadRefused ? ALL : stateDirty(this.#deps, server.key);
  }

  #changed(server: Server, { change }: ArrangedChange): readonly Dirty[] {
    if (change.entity === "tunnel") {
      const node = changedServerTunnel(this.#deps, server.key, change);
      if (node !== undefined) return [{ kind: "row", node }];
      const clientId = (change.after ?? change.before)?.client_id ?? "";
      return this.#client(server.key, clientId, "subtree");
    }
    if (change.entity === "refusal" || change.entity === "join")
      return this.#called(server, change);
    if (change.entity !== "client") return [];
    const shown = this.shown.upToDate(server.key);
    if (shown === undefined) return stateDirty(this.#deps, server.key);
    const keys = [...shown.clients.update(change)];
    for (const key of keys) shown.rows.get(key)?.delete(change.id);
    const moved = keys.flatMap((key) => this.#group(server, key));
    // its row counts those that are online
    const counts = stateDirty(this.#deps, server.key);
    const row = this.#client(server.key, change.id, "row");
    return [...moved, ...counts, ...row, ...this.#alike(server, change)];
  }

  /** Hosts at the server's door are shown also where offline ones are hidden. */
  #called(server: Server, { before, after }: Swap<"refusal"> | Swap<"join">): readonly Dirty[] {
    const shown = this.shown.upToDate(server.key);
    if (shown === undefined || before?.client_id === after?.client_id) return [];
    const keys = [...shown.clients.called(server.mirror)];
    return keys.flatMap((key) => this.#group(server, key));
  }

  /** The rows of clients that look like this one say its name, and whether it is shut out. */
  #alike(server: Server, { id, before, after }: Swap<"client">): readonly Dirty[] {
    if (before === undefined || after === undefined) return [];
    const isSame = displayName(before) === displayName(after);
    if (isSame && before.revoked_at === after.revoked_at) return [];
    const alike: Dirty[] = [];
    for (const client of server.mirror.maps.clients.values()) {
      if (client.looks_like === id) alike.push(...this.#client(server.key, client.id, "row"));
    }
    return alike;
  }

  /**
   * A group is stale; when groups came or went, so is the level above, as it is when a lone group has no
   * row. One message may bring many clients, so the groups that were asked for last are what counts, not this
   * one change.
   */
  #group(server: Server, key: GroupKey): readonly Dirty[] {
    const keys = this.#shownOf(server).groupKeys;
    const node = this.#deps.nodes.find(this.#groupParts(server, key));
    const outages = this.#rows.outagesOf(server.key, key);
    const rows = node === undefined ? outages : [node, ...outages];
    const below = rows.map((each): Dirty => ({ kind: "list", node: each }));
    const isListed = keys.length > 1 && this.#asked.get(server.key) === keys;
    return isListed ? below : [...below, listDirty(this.#deps, server.key)];
  }

  /** A client has a row in each of its groups, the first of which has its tunnels. */
  #client(serverKey: string, clientId: string, kind: "row" | "subtree"): readonly Dirty[] {
    const { nodes } = this.#deps;
    const shown = this.shown.upToDate(serverKey)?.clients;
    const parts = { kind: "client", serverKey, clientId, place: "clients" } as const;
    const [, ...others] = shown?.groupsOf(clientId) ?? [];
    const tags = others.map((key) => shown?.group(key).value ?? "");
    const again = tags.map((tag) => nodes.find({ ...parts, tag }));
    return [nodes.find(parts), ...again]
      .filter((node) => node !== undefined)
      .map((node) => ({ kind, node }));
  }

  #shownOf(server: Server): ShownClients {
    return this.shown.of(server).clients;
  }

  #groupParts(server: Server, key: GroupKey): Omit<GroupNode, "id"> {
    const { by, value } = this.#shownOf(server).group(key);
    const { round } = this.#deps.arrangements;
    return { kind: "group", serverKey: server.key, by, value, round };
  }

  #above(server: Server, node: ClientNode): Node | undefined {
    const { last } = this.#deps;
    if (last?.below(server.key) !== undefined) {
      return last.groupOf(node) ?? serverNode(this.#deps, server.key);
    }
    const { clientId, tag } = node;
    const shown = this.#shownOf(server);
    const [first] = shown.groupsOf(clientId);
    const key = tag === undefined ? first : keyOfGroup({ by: "tag", value: tag });
    if (key === undefined) return undefined;
    return this.#rows.above(server, key, clientId) ?? this.#groupNode(server, key);
  }

  /** The row of a group; a lone one has none, and what is above it is above its clients. */
  #groupNode(server: Server, key: GroupKey): Node | undefined {
    const isLone = this.#shownOf(server).groupKeys.length === 1;
    if (isLone) return serverNode(this.#deps, server.key);
    return this.#deps.nodes.get(this.#groupParts(server, key));
  }

  /** The groups; a lone one is not worth a level. */
  #below(server: Server): readonly Node[] {
    const last = this.#deps.last?.below(server.key);
    if (last === undefined) this.#hadLast.delete(server.key);
    else this.#hadLast.add(server.key);
    if (last !== undefined) return last;
    const keys = this.#shownOf(server).groupKeys;
    this.#asked.set(server.key, keys);
    const [only] = keys;
    if (keys.length === 1 && only !== undefined) return this.#rows.of(server, only);
    return keys.map((key) => this.#deps.nodes.get(this.#groupParts(server, key)));
  }
}
