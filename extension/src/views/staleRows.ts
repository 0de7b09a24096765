import type { Node } from "../model/node.ts";
import type { Clock, Timer } from "../support/clock.ts";
import type { Dirty } from "./source.ts";

/** Changes that come in this close together are shown together; nobody sees the difference. */
const GATHER_MS = 50;
/** After a costly redraw there is a pause, so that a storm of reconnecting hosts leaves room. */
const PAUSE_MS_PER_ROW = 0.1;
const LONGEST_PAUSE_MS = 1_000;

/** What to draw anew: the whole tree, of which all rows or only the list at the top are others; or some rows. */
export type Stale =
  | "all"
  | "roots"
  | readonly { readonly node: Node; readonly isForced: boolean }[];

/** What the gathering of changes needs. */
export interface StaleRowsDeps {
  readonly clock: Clock;
  /** Draws; answers how many rows that took, by which the next pause is measured. */
  readonly draw: (stale: Stale) => number;
}

/** Gathers what is stale in one tree, and has it drawn at a bearable pace. */
export class StaleRows {
  readonly #deps: StaleRowsDeps;
  readonly #rows = new Map<Node, boolean>();
  #whole: "all" | "roots" | undefined;
  #timer: Timer | undefined;
  #pauseMs = GATHER_MS;

  constructor(deps: StaleRowsDeps) {
    this.#deps = deps;
  }

  /** Adds what is stale. */
  add(dirty: readonly Dirty[]): void {
    for (const each of dirty) {
      if (each.kind === "all") this.#whole = "all";
      else if (each.kind === "roots") this.#whole ??= "roots";
      else if (each.kind !== "row") this.#rows.set(each.node, true);
      else if (!this.#rows.has(each.node)) this.#rows.set(each.node, false);
    }
    if (this.#whole !== undefined || this.#rows.size > 0) {
      this.#timer ??= this.#deps.clock.after(this.#pauseMs, () => this.#draw());
    }
  }

  /** Has what is gathered drawn now, for somebody who is about to be shown one of the rows. */
  flush(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#draw();
  }

  /**
   * All is being asked for anew, by itself: what is gathered need not be drawn again. The editor does not know the
   * rows of an answer any more once it is told to draw the tree: if it asks for what is below them only then, it gets
   * nothing, and shows them open and empty.
   *
   * @returns what of the whole tree would have been drawn
   */
  answered(): "all" | "roots" | undefined {
    const whole = this.#whole;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#whole = undefined;
    this.#rows.clear();
    return whole;
  }

  /** Forgets what was gathered. */
  dispose(): void {
    this.#timer?.cancel();
  }

  #draw(): void {
    const rows = [...this.#rows].map(([node, isForced]) => ({ node, isForced }));
    const stale = this.#whole ?? rows;
    this.#timer = undefined;
    this.#whole = undefined;
    this.#rows.clear();
    const drawn = this.#deps.draw(stale);
    this.#pauseMs = Math.min(Math.max(GATHER_MS, drawn * PAUSE_MS_PER_ROW), LONGEST_PAUSE_MS);
  }
}
