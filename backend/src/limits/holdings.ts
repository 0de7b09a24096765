/** Things, such as connections, each with who has it now. */
export class Holdings<T> {
  readonly #owners = new Map<T, string>();
  readonly #counts = new Map<string, number>();

  /** How many all have together. */
  get size(): number {
    return this.#owners.size;
  }

  /** How many one has. */
  of(owner: string): number {
    return this.#counts.get(owner) ?? 0;
  }

  /** Whether the thing may be the owner's: false when they have `max` others already. */
  hasRoom(thing: T, owner: string, max: number): boolean {
    return this.#owners.get(thing) === owner || this.of(owner) < max;
  }

  /** The thing is the owner's from now on, and nobody else's. */
  take(thing: T, owner: string): void {
    if (this.#owners.get(thing) === owner) return;
    this.leave(thing);
    this.#owners.set(thing, owner);
    this.#counts.set(owner, this.of(owner) + 1);
  }

  /** The thing is nobody's any more; harmless when it was not. */
  leave(thing: T): void {
    const owner = this.#owners.get(thing);
    if (owner === undefined) return;
    this.#owners.delete(thing);
    const count = this.of(owner) - 1;
    if (count > 0) this.#counts.set(owner, count);
    else this.#counts.delete(owner);
  }
}
