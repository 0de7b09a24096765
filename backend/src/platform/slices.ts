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
 * Does something to each of many, a few milliseconds per turn of the event loop. What follows from
 * one, in promises, counts as its work. Resolves when all are done; the first is done at once.
 */
export async function inSlices<T>(
  items: Iterable<T>,
  { clock, sliceMs = SLICE_MS }: SliceDeps,
  work: (item: T) => void,
): Promise<void> {
  let startMs = clock.monotonic();
  for (const item of items) {
    work(item);
    await Promise.resolve();
    if (clock.monotonic() - startMs < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    startMs = clock.monotonic();
  }
}
