import { Arrangements } from "../../../extension/src/views/arrangements.ts";

/** What the editor keeps for an extension, in memory. */
export class FakeMemento {
  readonly #values = new Map<string, unknown>();

  get<T>(key: string): T | undefined {
    return this.#values.get(key) as T | undefined;
  }

  async update(key: string, value: unknown): Promise<void> {
    this.#values.set(key, value);
  }
}

/** How the clients view is arranged, when nobody has said anything yet. */
export function freshArrangements(): Arrangements {
  return new Arrangements({ workspace: new FakeMemento(), global: new FakeMemento() });
}
