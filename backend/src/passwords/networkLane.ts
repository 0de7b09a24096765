import type { Limits } from "../limits/limits.ts";
import type { LimitName } from "../limits/limitTable.ts";
import { prefixesOf } from "../platform/network.ts";
import { TurnTree } from "../platform/turnTree.ts";

/** Takes the place that has become free; `false`: somebody else needs it more. */
type Start = (hasTurn: boolean) => void;

/** What a lane is bounded by. */
export interface NetworkLaneDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** How many jobs run at a time. */
  readonly running: number;
  /** How many more may wait. */
  readonly waiting: LimitName;
  /** How many of one network. */
  readonly waitingOfOne: LimitName;
}

/**
 * Runs jobs a few at a time, those of networks in turn: of wide ones first, then of the ones within, so
 * that whoever has a whole /32 waits for their own, and others wait for one of those. When all places
 * are taken, whoever has most makes room.
 */
export class NetworkLane {
  readonly #deps: NetworkLaneDeps;
  readonly #waiting = new TurnTree<Start>();
  #running = 0;

  constructor(deps: NetworkLaneDeps) {
    this.#deps = deps;
    deps.limits.watch(deps.waiting, () => this.#waiting.count);
  }

  /** The job's outcome, or `undefined` when too many wait: at once, or as soon as it makes room. */
  async run<T>(address: string, job: () => Promise<T>): Promise<T | undefined> {
    if (this.#running < this.#deps.running) this.#running += 1;
    else if (!(await this.#turnOf(address))) return undefined;
    try {
      return await job();
    } finally {
      // The place goes to the next in line, so nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
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
    const { limits, waiting, waitingOfOne } = this.#deps;
    const [, , network = address] = path;
    if (this.#waiting.countOf(path) >= limits.max(waitingOfOne)) {
      limits.bite(waitingOfOne, { network });
      return false;
    }
    if (this.#waiting.count < limits.max(waiting)) return true;
    limits.bite(waiting, { network });
    const crowded = this.#waiting.makeRoom(path);
    crowded?.(false);
    return crowded !== undefined;
  }
}
