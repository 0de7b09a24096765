import { SharedBytes } from "./sharedText.ts";

/** What one audience has still to be told. */
export interface Untold {
  /** How many deltas. */
  readonly size: number;
  /** What they have, whoever else has it. */
  readonly bytes: number;
  /** Gives the oldest of them up. */
  dropOldest(): void;
}

/**
 * The deltas that somebody has still to be told, of all audiences together. What several of them have
 * to be told counts once; when it is too much, whoever has most to be told loses the oldest of it.
 */
export class Backlog {
  readonly texts = new SharedBytes("inDeltas");
  readonly #maxBytes: number;
  readonly #logs = new Set<Untold>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** There is something in a log. */
  enter(log: Untold): void {
    this.#logs.add(log);
  }

  /** There is nothing in it any more. */
  leave(log: Untold): void {
    this.#logs.delete(log);
  }

  /** Some of them have more than before. */
  judge(): void {
    while (this.texts.bytes > this.#maxBytes) {
      const most = this.#most();
      if (most === undefined) return;
      most.dropOldest();
    }
  }

  /** The newest delta of each is kept, however long it is. */
  #most(): Untold | undefined {
    let most: Untold | undefined;
    for (const log of this.#logs) {
      if (log.size > 1 && log.bytes > (most?.bytes ?? 0)) most = log;
    }
    return most;
  }
}
