import type { Limits } from "../limits/limits.ts";
import { prefixesOf } from "../platform/network.ts";
import { TurnTree } from "../platform/turnTree.ts";

/** Takes the place that has become free; `false`: somebody else needs it more. */
type Start = (hasTurn: boolean) => void;

/**
 * Runs jobs one at a time, those of networks in turn: of wide ones first, then of the ones within, so
 * that whoever has a whole /32 waits for their own, and others wait for one of those. When all places
 * are taken, whoever has most makes room.
 */
export class NetworkLane {
  readonly #limits: Limits;
  readonly #waiting = new TurnTree<Start>();
  #isRunning = false;

  constructor(limits: Limits) {
    this.#limits = limits;
    limits.watch("waiting_passwords", () => this.#waiting.count);
  }

  /** The job's outcome, or `undefined` when too many wait: at once, or as soon as it makes room. */
  async run<T>(address: string, job: () => Promise<T>): Promise<T | undefined> {
    if (this.#isRunning && !(await this.#turnOf(address))) return undefined;
    this.#isRunning = true;
    try {
      return await job();
    } finally {
      // The place goes to the next in line, so nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#isRunning = false;
      else next(true);
    }
  }

  #turnOf(address: string): Promise<boolean> | boolean {
    const path = prefixesOf(address);
    if (!this.#hasRoom(address, path)) return false;
    const turn = Promise.withResolvers<boolean>();
    this.#waiting.push(path, turn.resolve);
    return turn.promise;
  }

  #hasRoom(address: string, path: readonly string[]): boolean {
    const limits = this.#limits;
    const [, , network = address] = path;
    if (this.#waiting.countOf(path) >= limits.max("waiting_passwords_per_network")) {
      limits.bite("waiting_passwords_per_network", { network });
      return false;
    }
    if (this.#waiting.count < limits.max("waiting_passwords")) return true;
    limits.bite("waiting_passwords", { network });
    const crowded = this.#waiting.makeRoom(path);
    crowded?.(false);
    return crowded !== undefined;
  }
}
