import type { Clock } from "../platform/clock.ts";
import type { Traffic } from "./traffic.ts";

/** While tunnels carry something, one packet goes in this time: 8 MB a second, which nobody reads. */
const GIVE_WAY_MS = 4;

/** What floods depend on. */
export interface FloodsDeps {
  readonly clock: Pick<Clock, "after">;
  /** Of tunnels, whose small packets would wait behind those of a flood. */
  readonly traffic: Pick<Traffic, "isNow">;
}

/**
 * All terminals of an agent whose programs write as fast as they can. While tunnels carry something, they go one after
 * the other, so that ten of them are no more in the way than one.
 */
export class Floods {
  readonly #deps: FloodsDeps;
  readonly #waiting = new Set<() => void>();
  #isGoing = false;

  constructor(deps: FloodsDeps) {
    this.#deps = deps;
  }

  /** Whether they are in somebody's way now. */
  get areInTheWay(): boolean {
    return this.#deps.traffic.isNow;
  }

  /** Calls `begin` when all that waited before have had a packet each; the answer is how to leave, and not be called. */
  wait(begin: () => void): () => void {
    this.#waiting.add(begin);
    if (!this.#isGoing) this.#goOn();
    return () => void this.#waiting.delete(begin);
  }

  #goOn(): void {
    this.#isGoing = true;
    this.#deps.clock.after(GIVE_WAY_MS, () => {
      const [begin] = this.#waiting;
      this.#isGoing = begin !== undefined;
      if (begin === undefined) return;
      this.#waiting.delete(begin);
      this.#goOn();
      begin();
    });
  }
}
