interface Entry {
  readonly key: string;
  readonly id: string;
}

/** By key, then by id, so that equal names keep one order. */
function compare(a: Entry, b: Entry): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** Ids in the order of their keys. Adding and removing one costs a binary search, never a sort. */
export class SortedList {
  readonly #keys = new Map<string, string>();
  #entries: Entry[] = [];
  #ids: readonly string[] | undefined;

  /** How many there are. */
  get size(): number {
    return this.#entries.length;
  }

  /** The ids in order. The array is the same one until something changes. */
  get ids(): readonly string[] {
    this.#ids ??= this.#entries.map((entry) => entry.id);
    return this.#ids;
  }

  /** Replaces everything. */
  fill(entries: readonly Entry[]): void {
    this.#entries = [...entries].sort(compare);
    this.#ids = undefined;
    this.#keys.clear();
    for (const { id, key } of entries) this.#keys.set(id, key);
  }

  /** Adds an id, or moves it when its key is another. Answers whether the order changed. */
  set(id: string, key: string): boolean {
    if (this.#keys.get(id) === key) return false;
    this.delete(id);
    this.#keys.set(id, key);
    const entry = { id, key };
    this.#entries.splice(this.#positionOf(entry), 0, entry);
    this.#ids = undefined;
    return true;
  }

  /** Removes an id. Answers whether it was there. */
  delete(id: string): boolean {
    const key = this.#keys.get(id);
    if (key === undefined) return false;
    this.#keys.delete(id);
    this.#entries.splice(this.#positionOf({ id, key }), 1);
    this.#ids = undefined;
    return true;
  }

  /** Where the entry is, or would have to be. */
  #positionOf(entry: Entry): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#entries[middle];
      if (there !== undefined && compare(there, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
