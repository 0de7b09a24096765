/** A lane that is full turns work away. */
export interface FairLaneLimits {
  /** How many jobs run at a time. */
  readonly running: number;
  /** How many more may wait, of one kind and of all. */
  readonly waitingOfOne: number;
  readonly waiting: number;
}

type Start = () => void;

/**
 * Runs jobs a few at a time, one of each kind in turn: whoever sends thousands waits for them, and
 * others wait for one of those.
 */
export class FairLane {
  readonly #limits: FairLaneLimits;
  /** Those who wait; the kind whose turn it is stands first. */
  readonly #waiting = new Map<string, Start[]>();
  #running = 0;
  #count = 0;

  constructor(limits: FairLaneLimits) {
    this.#limits = limits;
  }

  /** The job's outcome, or `undefined` at once when too many wait already. */
  run<T>(kind: string, job: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#limits.running) {
      this.#running += 1;
      return this.#work(job);
    }
    const ofKind = this.#waiting.get(kind) ?? [];
    const { waiting, waitingOfOne } = this.#limits;
    if (this.#count >= waiting || ofKind.length >= waitingOfOne) return undefined;
    const turn = Promise.withResolvers<void>();
    this.#count += 1;
    this.#waiting.set(kind, [...ofKind, turn.resolve]);
    return turn.promise.then(() => this.#work(job));
  }

  async #work<T>(job: () => Promise<T>): Promise<T> {
    try {
      return await job();
    } finally {
      // The place goes to the next in line, so nobody slips in between.
      const next = this.#next();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #next(): Start | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [kind, [start, ...others]] = first;
    this.#waiting.delete(kind);
    if (others.length > 0) this.#waiting.set(kind, others);
    this.#count -= 1;
    return start;
  }
}
