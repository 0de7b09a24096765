import { type Document, diskFull } from "../../../backend/src/store/document/document.ts";
import type { Database } from "../../../backend/src/store/sqlite/database.ts";
import type { Store } from "../../../backend/src/store/store.ts";

/** What happens to one write. */
export type WriteFate =
  | "done"
  /** The disk has no room: an error, and nothing is changed. */
  | "full"
  /** The process stops right before, or right after, it is on disk. */
  | "killed-before"
  | "killed-after";

/**
 * Stands between a store and its two files, one write at a time: an edit of a credential with its
 * secrets is several, and each of them can be the last.
 */
export class FaultyDisk {
  readonly document: Pick<Document, "data" | "update">;
  readonly database: Pick<Database, "write">;
  /** The write that was asked for last, counted from one. */
  count = 0;
  #isFull = false;
  #fate: (count: number) => WriteFate = () => "done";
  readonly #killed = Promise.withResolvers<void>();

  constructor({ document, database }: Store) {
    const run = (write: () => Promise<void>) => this.#run(write);
    this.document = {
      get data() {
        return document.data;
      },
      update: (change) => run(() => document.update(change)),
    };
    this.database = {
      write: (statements) =>
        statements.length === 0 ? Promise.resolve() : run(() => database.write(statements)),
    };
  }

  /** Decides each write from now on by its number; those after a kill never come back. */
  decide(fate: (count: number) => WriteFate): void {
    this.count = 0;
    this.#fate = fate;
  }

  /** From now on there is no room for anything. */
  fill(): void {
    this.#isFull = true;
  }

  /** There is room again. */
  empty(): void {
    this.#isFull = false;
  }

  /** Resolves when the process was stopped at a write. */
  get killed(): Promise<void> {
    return this.#killed.promise;
  }

  async #run(write: () => Promise<void>): Promise<void> {
    this.count += 1;
    const fate = this.#isFull ? "full" : this.#fate(this.count);
    if (fate === "full") throw diskFull(new Error("no space left"));
    if (fate !== "killed-before") await write();
    if (fate === "done") return;
    this.#killed.resolve();
    await new Promise(() => undefined);
  }
}
