import type { Node, Nodes, OutageNode } from "../model/node.ts";
import type { Outage } from "../model/shown/outages.ts";
import { type GroupKey, keyOfGroup, type ShownClients } from "../model/shown/shownClients.ts";
import type { Server } from "../servers/server.ts";
import type { Arrangements } from "./arrangements.ts";
import type { ShownServers } from "./shownServers.ts";

/** What the rows of groups are made from. */
export interface GroupRowsDeps {
  readonly nodes: Nodes;
  readonly arrangements: Pick<Arrangements, "round">;
}

/** Hosts of a group that went together. */
interface Together {
  readonly outage: Outage;
  readonly node: OutageNode;
  readonly rows: Node[];
}

/** What is below a group. */
interface Listed {
  readonly rows: readonly Node[];
  /** By the key of an outage. */
  readonly together: ReadonlyMap<string, Together>;
}

const NOTHING: Listed = { rows: [], together: new Map() };

/** The rows of the clients of each group: first those that went together, in one row each, the latest first. */
export class GroupRows {
  readonly #deps: GroupRowsDeps;
  readonly #shown: ShownServers;
  /** By a group's list of ids, which is a new array whenever it changes. */
  readonly #listed = new WeakMap<readonly string[], Listed>();

  constructor(deps: GroupRowsDeps, shown: ShownServers) {
    this.#deps = deps;
    this.#shown = shown;
  }

  /** The rows of a group. The array is the same one until something changes. */
  of(server: Server, key: GroupKey): readonly Node[] {
    return this.#list(server, key).rows;
  }

  /** The hosts of a row for those that went together. */
  hostsOf(server: Server, node: OutageNode): readonly Node[] {
    return this.#together(server, node)?.rows ?? [];
  }

  /** What a row for hosts that went together stands for; undefined: for nothing any more. */
  outageOf(server: Server, node: OutageNode): Outage | undefined {
    return this.#together(server, node)?.outage;
  }

  /** The row for hosts that went together in which a client of a group stands, if it does. */
  above(server: Server, key: GroupKey, clientId: string): Node | undefined {
    const outage = this.#shown.of(server).clients.outageOf(clientId);
    if (outage === undefined) return undefined;
    return this.#list(server, key).together.get(outage.key)?.node;
  }

  /** The rows for hosts that went together which a group had when it was asked for last. */
  outagesOf(serverKey: string, key: GroupKey): readonly Node[] {
    return [...(this.#shown.upToDate(serverKey)?.outages.get(key) ?? [])];
  }

  #together(server: Server, node: OutageNode): Together | undefined {
    return this.#list(server, keyOfGroup(node)).together.get(node.outage);
  }

  #list(server: Server, key: GroupKey): Listed {
    const { clients, rows, outages } = this.#shown.of(server);
    const ids = clients.idsOf(key);
    // it is no group any more
    if (ids.length === 0) return NOTHING;
    const known = this.#listed.get(ids);
    if (known !== undefined) return known;
    const byClient = rows.get(key) ?? new Map<string, Node>();
    rows.set(key, byClient);
    const list = ids.map((clientId) => {
      const found = byClient.get(clientId);
      if (found !== undefined) return found;
      const row = this.#row(server, { clients, key, clientId });
      byClient.set(clientId, row);
      return row;
    });
    const listed = this.#gather(server, { clients, key, list });
    outages.set(
      key,
      [...listed.together.values()].map(({ node }) => node),
    );
    this.#listed.set(ids, listed);
    return listed;
  }

  #gather(
    { key: serverKey }: Server,
    { clients, key, list }: { clients: ShownClients; key: GroupKey; list: readonly Node[] },
  ): Listed {
    if (!clients.hasOutages) return { rows: list, together: new Map() };
    const { by, value } = clients.group(key);
    const { round } = this.#deps.arrangements;
    const together = new Map<string, Together>();
    for (const row of list) {
      const outage = row.kind === "client" ? clients.outageOf(row.clientId) : undefined;
      if (outage === undefined) continue;
      const parts = { kind: "outage", serverKey, by, value, outage: outage.key, round } as const;
      const known = together.get(outage.key);
      if (known === undefined) {
        together.set(outage.key, { outage, node: this.#deps.nodes.get(parts), rows: [row] });
      } else known.rows.push(row);
    }
    // of a group by tag, or of what a filter lets through, one host alone may be there
    for (const [each, { rows }] of together) if (rows.length === 1) together.delete(each);
    const hidden = new Set([...together.values()].flatMap(({ rows }) => rows));
    const latestFirst = [...together.values()].sort((a, b) => b.outage.atMs - a.outage.atMs);
    const nodes = latestFirst.map(({ node }) => node);
    return { rows: [...nodes, ...list.filter((row) => !hidden.has(row))], together };
  }

  #row(
    { key: serverKey }: Server,
    { clients, key, clientId }: { clients: ShownClients; key: GroupKey; clientId: string },
  ): Node {
    const { nodes } = this.#deps;
    const parts = { kind: "client", serverKey, clientId, place: "clients" } as const;
    if (clients.isFirst(key, clientId)) return nodes.get(parts);
    return nodes.get({ ...parts, tag: clients.group(key).value });
  }
}
