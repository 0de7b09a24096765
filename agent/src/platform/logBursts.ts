/** Lines with the same sentence that are written one by one within a minute. */
const MAX = 30;
const WINDOW_MS = 60_000;

/** A sentence of which lines were left out. */
export interface Burst {
  readonly message: string;
  /** Lines that were not written. */
  readonly more: number;
  readonly withinSeconds: number;
}

interface Window {
  readonly endMs: number;
  count: number;
}

/**
 * Bounds what a log takes of each sentence: whoever is connected to, or asked for, may cause one at
 * any rate. Of a minute the first lines are written; how many others there were is told with the
 * first line of any kind that comes after it. Sentences are those of this program, so there are few.
 */
export class LogBursts {
  readonly #nowMs: () => number;
  readonly #windows = new Map<string, Window>();

  /** `nowMs` never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Counts a line; the answer is whether it is to be written. */
  admits(message: string): boolean {
    const window = this.#windows.get(message) ?? { endMs: this.#nowMs() + WINDOW_MS, count: 0 };
    this.#windows.set(message, window);
    window.count += 1;
    return window.count <= MAX;
  }

  /** Takes out the sentences whose minute is over, if lines were left out. */
  takeEnded(): readonly Burst[] {
    const ended: Burst[] = [];
    for (const [message, { endMs, count }] of this.#windows) {
      if (this.#nowMs() < endMs) continue;
      this.#windows.delete(message);
      const more = count - MAX;
      if (more > 0) ended.push({ message, more, withinSeconds: WINDOW_MS / 1_000 });
    }
    return ended;
  }
}
