/** Ends a subscription. */
export type Unsubscribe = () => void;

/** Those who want to hear of something; the caller of `emit` hears of nothing they throw. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Calls the listener at each `emit` until the result is called. */
  add(listener: (value: T) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everybody who is listening now. */
  emit(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Forgets everybody. */
  clear(): void {
    this.#listeners.clear();
  }
}
