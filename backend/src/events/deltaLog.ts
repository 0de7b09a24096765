/** The deltas that somebody has still to be told, in their order, up to so many bytes. */
export class DeltaLog {
  readonly #maxBytes: number;
  #messages: Buffer[] = [];
  #bytes = 0;
  #last: number;

  /** An empty log behind the delta `seq`. */
  constructor(seq: number, maxBytes: number) {
    this.#last = seq;
    this.#maxBytes = maxBytes;
  }

  /** The delta before the first one that is kept: who has that one, or a later, can go on. */
  get base(): number {
    return this.#last - this.#messages.length;
  }

  /** What is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the next delta. The oldest ones go when there are too many bytes. */
  add(message: Buffer): void {
    this.#messages.push(message);
    this.#bytes += message.length;
    this.#last += 1;
    while (this.#bytes > this.#maxBytes && this.#messages.length > 1) this.#drop(1);
  }

  /** The delta with this number, if it is kept. */
  get(seq: number): Buffer | undefined {
    return this.#messages[seq - this.base - 1];
  }

  /** Everybody has the deltas up to this one. */
  release(seq: number): void {
    this.#drop(Math.max(0, Math.min(seq - this.base, this.#messages.length)));
  }

  #drop(count: number): void {
    for (const message of this.#messages.splice(0, count)) this.#bytes -= message.length;
  }
}
