/** A lane that is full turns work away. */
export interface LaneLimits {
  /** How many jobs run at a time. */
  readonly running: number;
  /** How many more may wait, of all kinds together. */
  readonly waiting: number;
  /** How many of one kind may wait; undefined: as many as of all. */
  readonly waitingOfOne?: number;
}

type Start = () => void;

/**
 * Runs jobs a few at a time: of one kind in the order in which they came, and one of each kind in
 * turn. Whoever sends thousands waits for them, and others wait for one of those. The usual library
 * for this, p-limit, does not fit: it starts jobs some turns later, and turns nobody away.
 */
export class Lane {
  readonly #limits: LaneLimits;
  /** Those who wait; the kind whose turn it is stands first. */
  readonly #waiting = new Map<string, Start[]>();
  #running = 0;
  #count = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** The job's outcome, or `undefined` at once when too many wait already. */
  run<T>(job: () => Promise<T>, kind = ""): Promise<T> | undefined {
    if (this.#running < this.#limits.running) {
      this.#running += 1;
      return this.#work(job);
    }
    const ofKind = this.#waiting.get(kind) ?? [];
    const { waiting, waitingOfOne = waiting } = this.#limits;
    if (this.#count >= waiting || ofKind.length >= waitingOfOne) return undefined;
    const turn = Promise.withResolvers<void>();
    ofKind.push(turn.resolve);
    this.#waiting.set(kind, ofKind);
    this.#count += 1;
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
    const [kind, ofKind] = first;
    const start = ofKind.shift();
    this.#waiting.delete(kind);
    if (ofKind.length > 0) this.#waiting.set(kind, ofKind);
    this.#count -= 1;
    return start;
  }
}
