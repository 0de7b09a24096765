/** A snapshot as far as its size is concerned. */
export interface Sized {
  readonly bytes: number;
}

/** What all snapshots may have together. */
export interface SnapshotRoomDeps {
  readonly maxBytes: number;
  /** One was dropped, because together they had more. */
  readonly onFull?: (() => void) | undefined;
}

/**
 * The snapshots that somebody reads, or may soon, of all audiences. Whoever reads slowly keeps theirs;
 * when all of them have too many bytes, the oldest are dropped. The newest never is.
 */
export class SnapshotRoom {
  readonly #deps: SnapshotRoomDeps;
  /** By their age, each with what drops it. */
  readonly #live = new Map<Sized, () => void>();

  constructor(deps: SnapshotRoomDeps) {
    this.#deps = deps;
  }

  /** What all of them have. */
  get bytes(): number {
    let bytes = 0;
    for (const snapshot of this.#live.keys()) bytes += snapshot.bytes;
    return bytes;
  }

  /** One more; `drop` has to end whoever reads it. */
  add(snapshot: Sized, drop: () => void): void {
    this.#live.set(snapshot, drop);
  }

  /** Nobody reads it any more; harmless when it is not there. */
  remove(snapshot: Sized): void {
    this.#live.delete(snapshot);
  }

  /** One of them has more bytes than before. */
  judge(): void {
    while (this.#live.size > 1 && this.bytes > this.#deps.maxBytes) this.#dropOldest();
  }

  #dropOldest(): void {
    const [[oldest, drop] = []] = this.#live;
    if (oldest === undefined || drop === undefined) return;
    this.#live.delete(oldest);
    this.#deps.onFull?.();
    drop();
  }
}
