/** Somebody who holds bytes of this process, and can be ended for it. */
export interface Holder {
  /** In memory, as far as it is not promised room. */
  readonly heldBytes: number;
  /** Ends it; from then on it holds nothing. */
  end(): void;
}

/** Those who hold something together, and how much; most hold nothing. */
export class Holders {
  readonly #holders = new Set<Holder>();
  #bytes = 0;

  /** What they hold now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One of them holds so much more, or less, than before. */
  count(holder: Holder, bytes: number): void {
    this.#bytes += bytes;
    if (holder.heldBytes > 0) this.#holders.add(holder);
    else this.#holders.delete(holder);
  }

  /** Ends whoever holds most; false: nobody holds anything. */
  endWorst(): boolean {
    let worst: Holder | undefined;
    for (const holder of this.#holders) {
      if (worst === undefined || holder.heldBytes > worst.heldBytes) worst = holder;
    }
    worst?.end();
    return worst !== undefined;
  }
}
