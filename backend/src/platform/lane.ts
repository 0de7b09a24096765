/** A lane that is full turns work away. */
export interface LaneLimits {
  /** How many jobs run at a time. */
  readonly running: number;
  /** How many more may wait. */
  readonly waiting: number;
}

/**
 * Runs jobs a few at a time, in the order in which they came. The usual library for this, p-limit,
 * does not fit: it starts jobs some turns later, and turns nobody away.
 */
export class Lane {
  readonly #limits: LaneLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** The job's outcome, or `undefined` at once when too many wait already. */
  run<T>(job: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#limits.running) {
      this.#running += 1;
      return this.#work(job);
    }
    if (this.#waiting.length >= this.#limits.waiting) return undefined;
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    return turn.promise.then(() => this.#work(job));
  }

  async #work<T>(job: () => Promise<T>): Promise<T> {
    try {
      return await job();
    } finally {
      // The place goes to the next in line, so nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
