import { describeError } from "../support/describeError.ts";

interface Held<T> {
  readonly values: ReadonlyMap<string, T>;
  readonly failure: string | undefined;
}

/**
 * Lists that are not in the mirror, fetched when somebody looks at them, by key. What was fetched
 * stays to be shown until the next look.
 */
export class FetchedLists<T extends { readonly id: string }> {
  readonly #fetch: (key: string) => Promise<readonly T[]>;
  readonly #held = new Map<string, Held<T>>();
  readonly #pending = new Map<string, Promise<void>>();

  constructor(fetch: (key: string) => Promise<readonly T[]>) {
    this.#fetch = fetch;
  }

  /** Fetches a list anew; never rejects. A look that comes during another one shares its answer. */
  load(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const started = this.#load(key).finally(() => this.#pending.delete(key));
    this.#pending.set(key, started);
    return started;
  }

  /** The list as it was fetched last; empty before. */
  of(key: string): readonly T[] {
    return [...(this.#held.get(key)?.values.values() ?? [])];
  }

  /** One entry of a list as it was fetched last. */
  get(key: string, id: string): T | undefined {
    return this.#held.get(key)?.values.get(id);
  }

  /** Why it could not be fetched last time, as a sentence. */
  failureOf(key: string): string | undefined {
    return this.#held.get(key)?.failure;
  }

  /** Forgets everything. */
  clear(): void {
    this.#held.clear();
  }

  async #load(key: string): Promise<void> {
    try {
      const list = await this.#fetch(key);
      const values = new Map(list.map((value) => [value.id, value]));
      this.#held.set(key, { values, failure: undefined });
    } catch (error) {
      this.#held.set(key, { values: new Map(), failure: describeError(error) });
    }
  }
}
