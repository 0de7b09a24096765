import type { Node } from "../model/node.ts";
import { isSameRow, type Row } from "../model/rows/row.ts";
import type { Dirty } from "./source.ts";

/** What rows are drawn with. */
export interface DrawnRowsDeps<Item> {
  /** How a row looks now. */
  readonly rowOf: (node: Node) => Row;
  /** What the editor is given for it. */
  readonly itemOf: (node: Node, row: Row) => Item;
}

interface Drawn<Item> {
  readonly row: Row;
  readonly item: Item;
  /** In which round it was looked at last; 0: it may be another one by now. */
  round: number;
}

/**
 * The rows that the editor was given. A group of thousands of which one has left is asked for as a whole, so
 * a row is only looked at again after somebody said that it may be another one.
 */
export class DrawnRows<Item> {
  readonly #deps: DrawnRowsDeps<Item>;
  readonly #drawn = new Map<Node, Drawn<Item>>();
  /** A new round makes all of them stale at once. */
  #round = 1;

  constructor(deps: DrawnRowsDeps<Item>) {
    this.#deps = deps;
  }

  /** How many there are. */
  get size(): number {
    return this.#drawn.size;
  }

  /** All of them. */
  get nodes(): readonly Node[] {
    return [...this.#drawn.keys()];
  }

  /** What is to be looked at again when it is asked for. */
  outdate(dirty: readonly Dirty[]): void {
    for (const each of dirty) {
      if (each.kind === "all" || each.kind === "subtree") this.#round += 1;
      if (each.kind !== "row" && each.kind !== "list") continue;
      const drawn = this.#drawn.get(each.node);
      if (drawn !== undefined) drawn.round = 0;
    }
  }

  /** Forgets all, for all will be asked for. */
  clear(): void {
    this.#drawn.clear();
  }

  /** Whether the editor shows a row that looks otherwise by now. */
  isOutdated(node: Node): boolean {
    const drawn = this.#drawn.get(node);
    if (drawn === undefined || drawn.round === this.#round) return false;
    return !isSameRow(drawn.row, this.#deps.rowOf(node));
  }

  /** Whether the editor was given this row. */
  has(node: Node): boolean {
    return this.#drawn.has(node);
  }

  /** What the editor is given: the same as the last time, unless the row looks otherwise. */
  get(node: Node): Item {
    const drawn = this.#drawn.get(node);
    if (drawn?.round === this.#round) return drawn.item;
    const row = this.#deps.rowOf(node);
    const isSame = drawn !== undefined && isSameRow(drawn.row, row);
    const item = isSame ? drawn.item : this.#deps.itemOf(node, row);
    this.#drawn.set(node, { row, item, round: this.#round });
    return item;
  }
}
