import type { ClientNode, GroupNode, Node, Nodes } from "../../model/node.ts";
import { contextValue } from "../../model/rows/contextValue.ts";
import type { Row } from "../../model/rows/row.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import type { Arrangements } from "../arrangements.ts";
import type { LastShown } from "./lastShown.ts";
import type { LastGroup, LastRecord, LastRow } from "./record.ts";

/** What the rows of last time are made from. */
export interface LastTreeDeps {
  readonly fleet: Fleet;
  readonly nodes: Nodes;
  readonly arrangements: Pick<Arrangements, "filterText" | "round">;
  readonly lastShown: Pick<LastShown, "of">;
}

/**
 * The rows of last time in the clients view, the same ones as those that come when the server has told what is
 * true now: what is selected or open stays so. Undefined everywhere: there is nothing of last time, or it is over.
 */
export class LastTree {
  readonly #deps: LastTreeDeps;

  constructor(deps: LastTreeDeps) {
    this.#deps = deps;
  }

  /** When it was true, in milliseconds since the epoch; undefined where there were no rows, either. */
  atMs({ key }: Pick<Server, "key">): number | undefined {
    const record = this.#recordOf(key);
    return record?.groups.some(({ rows }) => rows.length > 0) ? record.atMs : undefined;
  }

  /** The groups of a server; of a lone one, its clients. */
  below(serverKey: string): readonly Node[] | undefined {
    const groups = this.#recordOf(serverKey)?.groups;
    const [only] = groups ?? [];
    if (groups?.length === 1 && only !== undefined) return this.#rowsOf(serverKey, only);
    return groups?.map((group) => this.#groupNode(serverKey, group));
  }

  /** The clients of a group. */
  clients(node: GroupNode): readonly Node[] | undefined {
    const record = this.#recordOf(node.serverKey);
    if (record === undefined) return undefined;
    const group = groupIn(record, node);
    return group === undefined ? [] : this.#rowsOf(node.serverKey, group);
  }

  /** How many clients a group had. */
  sizeOf(node: GroupNode): number | undefined {
    const record = this.#recordOf(node.serverKey);
    return record === undefined ? undefined : (groupIn(record, node)?.size ?? 0);
  }

  /** The group in which a client stood, where groups have rows. */
  groupOf(node: ClientNode): Node | undefined {
    const record = this.#recordOf(node.serverKey);
    if (record === undefined || record.groups.length === 1) return undefined;
    const group = record.groups.find(({ value, rows }) =>
      rows.some((row) => isOf(row, node) && (node.tag === undefined || node.tag === value)),
    );
    return group === undefined ? undefined : this.#groupNode(node.serverKey, group);
  }

  /** A client as its row said it; nothing can be done with it yet. */
  rowOf(node: ClientNode): Row | undefined {
    if (node.place !== "clients") return undefined;
    const groups = this.#recordOf(node.serverKey)?.groups ?? [];
    for (const { rows } of groups) {
      const row = rows.find((each) => isOf(each, node));
      if (row === undefined) continue;
      const { label, description, spoken } = row;
      const icon = row.icon === "" ? undefined : { name: row.icon };
      const context = contextValue("last");
      return { label, description, spoken, icon, context, children: "none" };
    }
    return undefined;
  }

  #recordOf(serverKey: string): LastRecord | undefined {
    const { fleet, lastShown, arrangements } = this.#deps;
    const server = fleet.get(serverKey);
    return server === undefined ? undefined : lastShown.of(server, arrangements.filterText);
  }

  #groupNode(serverKey: string, { by, value }: LastGroup): Node {
    const { round } = this.#deps.arrangements;
    return this.#deps.nodes.get({ kind: "group", serverKey, by, value, round });
  }

  #rowsOf(serverKey: string, { value, rows }: LastGroup): readonly Node[] {
    return rows.map(({ clientId, isAgain }) => {
      const parts = { kind: "client", serverKey, clientId, place: "clients" } as const;
      return this.#deps.nodes.get(isAgain ? { ...parts, tag: value } : parts);
    });
  }
}

function groupIn({ groups }: LastRecord, { by, value }: GroupNode): LastGroup | undefined {
  return groups.find((group) => group.by === by && group.value === value);
}

function isOf({ clientId, isAgain }: LastRow, node: ClientNode): boolean {
  return clientId === node.clientId && isAgain === (node.tag !== undefined);
}
