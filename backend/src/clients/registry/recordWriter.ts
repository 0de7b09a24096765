import type { ClientId } from "@rport/protocol/ids";
import type { Clock, Timer } from "../../platform/clock.ts";
import { errorText, type Log } from "../../platform/log.ts";
import { inSlices } from "../../platform/slices.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** What the writer needs. */
export interface RecordWriterDeps {
  readonly store: Pick<EditStore, "settle">;
  readonly clock: Clock;
  readonly log: Log;
  /** The record as it is now; undefined: it was removed meanwhile. */
  readonly current: (id: ClientId) => ClientRecord | undefined;
}

/** Changes are gathered this long: a login and what follows it become one write. */
const GATHER_MS = 200;
/** Wait before a failed write (a full disk) is tried again. */
const RETRY_MS = 5_000;

/**
 * Writes client records behind their backs. The memory is ahead of the disk by a moment, which a
 * crash may cost: most of a record is said again at the client's next connection. For what is not,
 * and for clients that were not on record before, there is `save`.
 */
export class RecordWriter {
  readonly #deps: RecordWriterDeps;
  #dirty = new Set<ClientId>();
  /** Records that others write now; nothing of them is written until they have. */
  readonly #paused = new Map<ClientId, Promise<void>>();
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: RecordWriterDeps) {
    this.#deps = deps;
  }

  /** The record has changed. */
  mark(id: ClientId): void {
    this.#dirty.add(id);
    this.#arm(GATHER_MS);
  }

  /**
   * Writes the record at once; resolves when it would survive a power cut. When that fails, as
   * `settle` does, the record as it is then is tried again later.
   */
  async save(id: ClientId): Promise<void> {
    for (let other = this.#paused.get(id); other; other = this.#paused.get(id)) await other;
    const record = this.#deps.current(id);
    if (record === undefined) return;
    this.#dirty.delete(id);
    try {
      await this.#deps.store.settle([{ kind: "seen", record }]);
    } catch (error) {
      this.#dirty.add(id);
      this.#arm(RETRY_MS);
      throw error;
    }
  }

  /**
   * Runs another write of these records, with nothing of theirs on its way to the disk before or
   * meanwhile: an older record must not come after it. What is left of them is written afterwards.
   */
  async pause<T>(ids: readonly ClientId[], write: () => Promise<T>): Promise<T> {
    const before = ids.map((id) => this.#paused.get(id));
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const id of ids) this.#paused.set(id, promise);
    try {
      await Promise.all([...before, this.#running]);
      return await write();
    } finally {
      for (const id of ids) {
        if (this.#paused.get(id) === promise) this.#paused.delete(id);
        this.mark(id);
      }
      resolve();
    }
  }

  /** Resolves when no other write is under way and everything marked was written, or could not be. */
  async close(): Promise<void> {
    await Promise.all(this.#paused.values());
    await this.flush();
  }

  /** Resolves when everything marked so far was written, or could not be, save what is paused. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const isPaused = (id: ClientId) => this.#paused.has(id);
    const ids = new Set([...this.#dirty].filter((id) => !isPaused(id)));
    this.#dirty = new Set([...this.#dirty].filter(isPaused));
    if (ids.size > 0) this.#running = this.#running.then(() => this.#write(ids));
    return this.#running;
  }

  #arm(delayMs: number): void {
    this.#timer ??= this.#deps.clock.after(delayMs, () => {
      this.#timer = undefined;
      void this.flush();
    });
  }

  /** Thousands may have gone at once: putting their records into words takes a slice of each turn. */
  async #write(ids: ReadonlySet<ClientId>): Promise<void> {
    const { clock, log } = this.#deps;
    const writes: Promise<unknown>[] = [];
    await inSlices(ids, { clock }, (id) => void writes.push(this.#failureOf(id)));
    const failure = (await Promise.all(writes)).find((one) => one !== undefined);
    if (failure === undefined) return;
    log.error("client records could not be written", { reason: errorText(failure) });
    this.#arm(RETRY_MS);
  }

  /** Writes one record; answers with what it failed with. */
  async #failureOf(id: ClientId): Promise<unknown> {
    const record = this.#deps.current(id);
    if (record === undefined) return undefined;
    try {
      await this.#deps.store.settle([{ kind: "seen", record }]);
      return undefined;
    } catch (error) {
      this.#dirty.add(id);
      return error;
    }
  }
}
