import { RportError } from "@rport/protocol/errors";
import type { Adapter } from "lowdb";
import { Low } from "lowdb";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";
import { codeOf } from "../files/durableFile.ts";
import type { DocumentData } from "./documentData.ts";

/** Makes the next document from the current one; throws to refuse. Must not alter its argument. */
export type DocumentChange = (data: DocumentData) => DocumentData;

interface Waiting {
  readonly change: DocumentChange;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * What people configure, in memory and on disk. Readers never see anything that a power cut could
 * take back. Changes that arrive while a write runs share the next one, so a caller waits for two
 * writes at most, however many others there are.
 */
export class Document {
  readonly #low: Low<DocumentData>;
  readonly #log: Log;
  #data: DocumentData;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #isBroken = false;

  private constructor(low: Low<DocumentData>, log: Log) {
    this.#low = low;
    this.#log = log;
    this.#data = low.data;
  }

  /** Reads the document. Fails as the adapter's `read` does. */
  static async open(adapter: Adapter<DocumentData>, log: Log): Promise<Document> {
    const data = await adapter.read();
    if (data === null) throw new RportError("INTERNAL", "The document's adapter read nothing.");
    return new Document(new Low(adapter, data), log);
  }

  /** The document as it is on disk. */
  get data(): DocumentData {
    return this.#data;
  }

  /** The number of the last writing that is known to be durable. */
  get revision(): number {
    return this.#data.settings.revision;
  }

  /**
   * Goes on behind the number `known` where the document has not come so far, and writes that at once:
   * whoever knows of the lost writings must not meet their numbers again. Answers with how many are
   * lost. Fails as `update` does.
   */
  async passOver(known: number): Promise<number> {
    const lost = known - this.revision;
    if (lost <= 0) return 0;
    await this.update((data) => withRevision(data, known));
    return lost;
  }

  /**
   * Changes the document; resolves when the change would survive a power cut. Fails with what
   * `change` throws, with `DISK_FULL`, or with `UNAVAILABLE`; then nothing changed.
   */
  update(change: DocumentChange): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ change, resolve, reject });
    this.#writing ??= this.#drain();
    return promise;
  }

  /** Resolves when nothing waits any more. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#commit(batch);
    }
    this.#writing = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const { next, changed } = applyAll(this.#data, batch);
    if (changed.length === 0) return;
    try {
      await this.#write(withRevision(next, next.settings.revision + 1));
      for (const waiting of changed) waiting.resolve();
    } catch (caught) {
      const error = this.#translate(caught);
      for (const waiting of changed) waiting.reject(error);
    }
  }

  async #write(next: DocumentData): Promise<void> {
    if (this.#isBroken) throw new RportError("UNAVAILABLE", "The disk failed; restart the server.");
    this.#low.data = next;
    try {
      await this.#low.write();
      this.#data = next;
    } catch (caught) {
      this.#low.data = this.#data;
      throw caught;
    }
  }

  #translate(caught: unknown): RportError {
    if (caught instanceof RportError) return caught;
    this.#log.error("the document could not be written", { reason: errorText(caught) });
    const code = codeOf(caught);
    if (code === "ENOSPC" || code === "EDQUOT") return diskFull(caught);
    // After a failed fsync the kernel may have dropped the pages: a repeat that succeeds is a lie.
    if (code === "EIO") this.#isBroken = true;
    return new RportError("UNAVAILABLE", "The change could not be written to disk.", {
      cause: caught,
    });
  }
}

/** The error of a change that found the disk full. */
export function diskFull(cause: unknown): RportError {
  return new RportError("DISK_FULL", "The server's disk is full; nothing was changed.", { cause });
}

function withRevision(data: DocumentData, revision: number): DocumentData {
  return { ...data, settings: { ...data.settings, revision } };
}

function applyAll(
  data: DocumentData,
  batch: readonly Waiting[],
): { readonly next: DocumentData; readonly changed: readonly Waiting[] } {
  let next = data;
  const changed: Waiting[] = [];
  for (const waiting of batch) {
    try {
      next = waiting.change(next);
      changed.push(waiting);
    } catch (caught) {
      waiting.reject(caught);
    }
  }
  return { next, changed };
}
