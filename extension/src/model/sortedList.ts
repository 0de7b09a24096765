/** An id and what it is sorted by. */
export interface SortedEntry {
  readonly key: string;
  readonly id: string;
}

/** By key, then by id, so that equal names keep one order. */
function compare(a: SortedEntry, b: SortedEntry): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

function isSorted(entries: readonly SortedEntry[]): boolean {
  return entries.every((entry, n) => {
    const before = entries[n - 1];
    return before === undefined || compare(before, entry) <= 0;
  });
}

/** Ids in the order of their keys. Adding and removing one costs a binary search, never a sort. */
export class SortedList {
  /** Made when somebody needs it: a list that is only filled and read has no use for it. */
  #known: Map<string, string> | undefined;
  #entries: SortedEntry[] = [];
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

  /** The ids in order with their keys. */
  get entries(): readonly SortedEntry[] {
    return this.#entries;
  }

  /** The next array of ids is another one, for whoever keeps something by it. */
  renewIds(): void {
    this.#ids = undefined;
  }

  /** Replaces everything. What is in order already costs no sort. */
  fill(entries: readonly SortedEntry[]): void {
    this.#entries = isSorted(entries) ? entries.slice() : entries.toSorted(compare);
    this.#ids = undefined;
    this.#known = undefined;
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

  get #keys(): Map<string, string> {
    this.#known ??= new Map(this.#entries.map(({ id, key }) => [id, key]));
    return this.#known;
  }

  /** Where the entry is, or would have to be. */
  #positionOf(entry: SortedEntry): number {
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
