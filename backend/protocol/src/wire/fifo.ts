/** The places of taken items are given back in blocks of at least this many. */
const BLOCK = 64;

/** Things that wait in line: adding and taking cost the same however many there are. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  /** How many of them are taken. */
  #taken = 0;

  get length(): number {
    return this.#items.length - this.#taken;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first; undefined: there is none. */
  take(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#taken];
    this.#items[this.#taken] = undefined;
    this.#taken += 1;
    if (this.#taken === this.#items.length) this.clear();
    else if (this.#taken >= BLOCK && 2 * this.#taken >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  /** Puts something in front of all others. */
  putBack(item: T): void {
    if (this.#taken === 0) {
      this.#items.unshift(item);
      return;
    }
    this.#taken -= 1;
    this.#items[this.#taken] = item;
  }

  clear(): void {
    this.#items = [];
    this.#taken = 0;
  }
}
