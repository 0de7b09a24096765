import type { Clock } from "./clock.ts";

/** What one long piece of work may take of a turn of the event loop before others are served. */
const SLICE_MS = 4;

/** How the work is cut. */
export interface SliceDeps {
  readonly clock: Pick<Clock, "monotonic">;
  /** Milliseconds per turn; more only for what must be over soon. */
  readonly sliceMs?: number;
}

/**
 * Long work in several steps, each with something to do to each of many: all of them together take a
 * few milliseconds per turn of the event loop.
 */
export class SlicedWork {
  readonly #deps: SliceDeps;
  #startMs: number;

  constructor(deps: SliceDeps) {
    this.#deps = deps;
    this.#startMs = deps.clock.monotonic();
  }

  /**
   * Does something to each. What follows from one, in promises, counts as its work. Resolves when all
   * are done; the first is done at once.
   */
  async each<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
    const { clock, sliceMs = SLICE_MS } = this.#deps;
    for (const item of items) {
      work(item);
      await Promise.resolve();
      if (clock.monotonic() - this.#startMs < sliceMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      this.#startMs = clock.monotonic();
    }
  }
}

/** Does something to each of many as sliced work that has this one step. */
export async function inSlices<T>(
  items: Iterable<T>,
  deps: SliceDeps,
  work: (item: T) => void,
): Promise<void> {
  await new SlicedWork(deps).each(items, work);
}
