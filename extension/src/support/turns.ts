/** Runs jobs one after the other, in the order in which they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** The job's outcome, once everything asked for earlier has ended, however it ended. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(job);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when everything asked for so far has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }
}
