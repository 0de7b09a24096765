import type { Adapter } from "lowdb";
import type { DocumentData } from "../../../backend/src/store/document/documentData.ts";

/** Lets a document's writings reach its file, and keeps whoever asked for them waiting while it is shut. */
export class WriteGate implements Adapter<DocumentData> {
  readonly #inner: Adapter<DocumentData>;
  #isShut = false;
  #arrived = Promise.withResolvers<void>();
  #opened = Promise.withResolvers<void>();

  constructor(inner: Adapter<DocumentData>) {
    this.#inner = inner;
  }

  read(): Promise<DocumentData | null> {
    return this.#inner.read();
  }

  async write(data: DocumentData): Promise<void> {
    await this.#inner.write(data);
    if (!this.#isShut) return;
    this.#arrived.resolve();
    await this.#opened.promise;
  }

  /** From now on what is written is in the file, and nobody is told. */
  shut(): void {
    this.#isShut = true;
    this.#arrived = Promise.withResolvers<void>();
    this.#opened = Promise.withResolvers<void>();
  }

  /** Resolves when a writing is in the file that nobody was told of. */
  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  /** Tells of the writing that waits, and of one only: the gate is shut for the next. */
  openOnce(): void {
    const { resolve } = this.#opened;
    this.shut();
    resolve();
  }

  /** Nobody waits any more. */
  open(): void {
    this.#isShut = false;
    this.#opened.resolve();
  }
}
