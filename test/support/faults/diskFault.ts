import { vi } from "vitest";
import { diskFull } from "../../../backend/src/store/document.ts";
import type { Store } from "../../../backend/src/store/store.ts";

/** What happens to one write. */
export type WriteFate =
  | "done"
  /** The disk has no room: an error, and nothing is changed. */
  | "full"
  /** The process stops right before, or right after, it is on disk. */
  | "killed-before"
  | "killed-after";

type Write = (...args: never[]) => Promise<void>;

/**
 * Stands between the server and everything that it writes, one write at a time: documents,
 * secrets, records. Ends with `vi.restoreAllMocks()`, which a fixture's `crash` calls.
 */
export class DiskFault {
  /** The write that was asked for last, counted from one. */
  count = 0;
  #isFull = false;
  #fate: (count: number) => WriteFate = () => "done";
  readonly #killed = Promise.withResolvers<void>();

  constructor({ document, secretRows, clientRows }: Store) {
    this.#wrap(document, "update");
    for (const name of ["apply", "bury", "removeOf"] as const) this.#wrap(secretRows, name);
    for (const name of ["put", "remove"] as const) this.#wrap(clientRows, name);
  }

  /** Decides each write by its number; those after the end of the process never come back. */
  decide(fate: (count: number) => WriteFate): void {
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

  #wrap<N extends string>(owner: Record<N, Write> | object, name: N): void {
    const target = owner as Record<N, Write>;
    const original = target[name].bind(target) as Write;
    const spy = vi.spyOn(target as Record<string, Write>, name);
    spy.mockImplementation((...args) => this.#run(() => original(...args), args[0]));
  }

  async #run(write: () => Promise<void>, edits: unknown): Promise<void> {
    // No edits, no write.
    if (Array.isArray(edits) && edits.length === 0) return;
    this.count += 1;
    const fate = this.#isFull ? "full" : this.#fate(this.count);
    if (fate === "full") throw diskFull(new Error("no space left"));
    if (fate !== "killed-before") await write();
    if (fate === "done") return;
    this.#killed.resolve();
    await new Promise(() => undefined);
  }
}
