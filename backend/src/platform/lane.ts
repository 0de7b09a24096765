/** A lane that is full turns work away. */
export interface LaneLimits {
  /** How many jobs run at a time. */
  readonly running: number;
  /** How many of one kind run at a time; undefined: as many as of all. */
  readonly runningOfOne?: number;
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
  readonly #runningOf = new Map<string, number>();
  #count = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** The job's outcome, or `undefined` at once when too many wait already. */
  run<T>(job: () => Promise<T>, kind = ""): Promise<T> | undefined {
    if (this.#hasPlace(kind)) {
      this.#enter(kind);
      return this.#work(job, kind);
    }
    const ofKind = this.#waiting.get(kind) ?? [];
    const { waiting, waitingOfOne = waiting } = this.#limits;
    if (this.#count >= waiting || ofKind.length >= waitingOfOne) return undefined;
    const turn = Promise.withResolvers<void>();
    ofKind.push(turn.resolve);
    this.#waiting.set(kind, ofKind);
    this.#count += 1;
    return turn.promise.then(() => this.#work(job, kind));
  }

  async #work<T>(job: () => Promise<T>, kind: string): Promise<T> {
    try {
      return await job();
    } finally {
      this.#leave(kind);
      this.#startNext();
    }
  }

  #hasPlace(kind: string): boolean {
    const { running, runningOfOne = running } = this.#limits;
    return this.#running < running && (this.#runningOf.get(kind) ?? 0) < runningOfOne;
  }

  #enter(kind: string): void {
    this.#running += 1;
    this.#runningOf.set(kind, (this.#runningOf.get(kind) ?? 0) + 1);
  }

  #leave(kind: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(kind) ?? 1) - 1;
    if (left > 0) this.#runningOf.set(kind, left);
    else this.#runningOf.delete(kind);
  }

  /** The place goes to the next in line before that begins, so nobody slips in between. */
  #startNext(): void {
    const next = [...this.#waiting].find(([kind]) => this.#hasPlace(kind));
    if (next === undefined) return;
    const [kind, ofKind] = next;
    const start = ofKind.shift();
    this.#waiting.delete(kind);
    if (ofKind.length > 0) this.#waiting.set(kind, ofKind);
    this.#count -= 1;
    this.#enter(kind);
    start?.();
  }
}
