/**
 * The word of a host on which terminals it has. It is asked for as soon as the host is in, and again for
 * whoever wants it after that has failed.
 */
export class HostWord {
  readonly #cameIn = Promise.withResolvers<boolean>();
  #ask: (() => Promise<boolean>) | undefined;
  #answer: Promise<boolean> | undefined;

  /** The host is in. `ask` asks it, and says whether it answered; it does not reject. */
  begin(ask: () => Promise<boolean>): void {
    this.#ask = ask;
    void this.#asked();
    this.#cameIn.resolve(true);
  }

  /** The connection has ended: a host that was not in then says nothing over it. */
  end(): void {
    this.#cameIn.resolve(false);
  }

  /** Whether it came in, when that is known. */
  async cameIn(): Promise<boolean> {
    return await this.#cameIn.promise;
  }

  /** Whether the host has said which terminals it has; waits until it is in, and has answered. */
  async given(): Promise<boolean> {
    return (await this.#cameIn.promise) && (await this.#asked());
  }

  #asked(): Promise<boolean> | false {
    this.#answer ??= this.#ask?.().then((isGiven) => {
      if (!isGiven) this.#answer = undefined;
      return isGiven;
    });
    return this.#answer ?? false;
  }
}
