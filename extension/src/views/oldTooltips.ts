import type { Node } from "../model/node.ts";
import type { Clock, Timer } from "../support/clock.ts";

/** For so long a tooltip that says what is going on is shown again as it was; it goes then, also below a mouse. */
const FRESH_MS = 10_000;

/** What making tooltips anew needs. */
export interface OldTooltipsDeps {
  readonly clock: Clock;
  /** Has a row drawn again, for the editor keeps its tooltip until then. */
  readonly draw: (node: Node) => void;
}

/** Rows with tooltips that are true for a moment only. */
export class OldTooltips {
  readonly #deps: OldTooltipsDeps;
  readonly #timers = new Map<Node, Timer>();

  constructor(deps: OldTooltipsDeps) {
    this.#deps = deps;
  }

  /** A row has been given such a tooltip. */
  made(node: Node): void {
    this.#timers.get(node)?.cancel();
    const timer = this.#deps.clock.after(FRESH_MS, () => {
      this.#timers.delete(node);
      this.#deps.draw(node);
    });
    this.#timers.set(node, timer);
  }

  /** Draws nothing any more. */
  dispose(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
