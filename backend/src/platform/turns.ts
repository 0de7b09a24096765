/** Runs what concerns one thing one after the other, in the order in which it was asked for. */
export class Turns<K> {
  readonly #last = new Map<K, Promise<unknown>>();

  /** The job's outcome, once everything asked for earlier has ended, however it ended. */
  async run<T>(key: K, job: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(job, job);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
