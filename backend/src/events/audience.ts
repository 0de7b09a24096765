import type { OnFault } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "../platform/clock.ts";
import type { DeltaMessages } from "./delta.ts";
import { DeltaLog } from "./deltaLog.ts";
import type { Piece } from "./pieces.ts";
import { Pump } from "./pump.ts";
import type { ShownThings } from "./shownThings.ts";
import { SnapshotMessages } from "./snapshot.ts";
import type { SnapshotRoom } from "./snapshotRoom.ts";
import type { Watcher } from "./watcher.ts";

/** A complete snapshot is kept for so long for whoever comes next. */
const SNAPSHOT_KEPT_MS = 10_000;

/** What an audience works with. */
export interface AudienceDeps {
  /** The last delta so far. */
  readonly seq: number;
  /** The messages of a snapshot behind the delta `seq`, as these watchers may see it. */
  readonly pieces: (seq: number) => Iterator<Piece>;
  /** What these watchers are shown. */
  readonly shown: ShownThings;
  /** Deltas that are kept for those who are behind. */
  readonly backlogMaxBytes: number;
  /** A watcher was further behind than that. */
  readonly onLost: () => void;
  /** Where all snapshots are counted. */
  readonly room: SnapshotRoom;
  readonly clock: Pick<Clock, "after">;
  readonly onFault: OnFault;
}

/** How far a watcher is. */
interface Place {
  /** What it reads first; undefined once it has all of it. */
  snapshot: SnapshotMessages | undefined;
  index: number;
  /** The delta that it has, or that its snapshot stands behind. */
  seq: number;
}

/**
 * The watchers with one sight. What they are told is there once, however many they are: a snapshot
 * and the deltas since, which each of them reads as fast as it can.
 */
export class Audience {
  readonly #deps: AudienceDeps;
  readonly #places = new Map<Watcher, Place>();
  readonly #log: DeltaLog;
  readonly #pump: Pump<Watcher>;
  #snapshot: SnapshotMessages | undefined;
  /** Until the snapshot is kept no longer. */
  #keeping: Timer | undefined;
  #seq: number;

  constructor(deps: AudienceDeps) {
    this.#deps = deps;
    this.#seq = deps.seq;
    this.#log = new DeltaLog(deps.seq, deps.backlogMaxBytes);
    this.#pump = new Pump((watcher) => this.#step(watcher), deps.onFault);
  }

  /** How many watch now. */
  get size(): number {
    return this.#places.size;
  }

  /** Tells a watcher first what there is; from then on it hears of what changes. */
  add(watcher: Watcher): void {
    const kept = this.#snapshot;
    const snapshot = kept ?? this.#newSnapshot();
    this.#places.set(watcher, { snapshot, index: 0, seq: snapshot.seq });
    snapshot.readers += 1;
    if (kept === undefined) snapshot.start();
    else this.#pump.wake([watcher]);
  }

  /** Takes a watcher out; harmless when it is not in. */
  delete(watcher: Watcher): void {
    this.#finish(this.#places.get(watcher));
    this.#places.delete(watcher);
    this.#pump.drop(watcher);
    if (this.#places.size === 0) this.#forget();
  }

  /** The watcher has room again. */
  resume(watcher: Watcher): void {
    if (this.#places.has(watcher)) this.#pump.wake([watcher]);
  }

  /**
   * Tells everybody what of these changes they may see, as the next delta. Who is too far behind is
   * told nothing any more.
   */
  tell(changes: DeltaMessages): void {
    const message = changes.for(this.#deps.shown, this.#seq + 1);
    if (message === undefined) return;
    this.#log.add(message);
    this.#seq += 1;
    const { base } = this.#log;
    if (this.#snapshot !== undefined && this.#snapshot.seq < base) this.#discard();
    for (const [watcher, { seq }] of [...this.#places]) {
      if (seq < base) this.#lose(watcher);
    }
    this.#pump.wake(this.#places.keys());
    this.#release();
  }

  /** Encodes a snapshot for whoever comes from now on. */
  #newSnapshot(): SnapshotMessages {
    const snapshot: SnapshotMessages = new SnapshotMessages({
      seq: this.#seq,
      pieces: this.#deps.pieces(this.#seq),
      onMore: () => this.#grown(snapshot),
      onFault: (error) => this.#failed(snapshot, error),
    });
    this.#snapshot = snapshot;
    this.#deps.room.add(snapshot, () => this.#drop(snapshot));
    return snapshot;
  }

  #grown(snapshot: SnapshotMessages): void {
    this.#deps.room.judge();
    const readers = [...this.#places].filter(([, place]) => place.snapshot === snapshot);
    this.#pump.wake(readers.map(([watcher]) => watcher));
    if (!snapshot.isComplete || this.#snapshot !== snapshot) return;
    this.#keeping = this.#deps.clock.after(SNAPSHOT_KEPT_MS, () => {
      this.#discard();
      this.#release();
    });
  }

  #failed(snapshot: SnapshotMessages, error: unknown): void {
    this.#deps.onFault(error);
    this.#drop(snapshot);
  }

  /** Whoever reads it begins anew. */
  #drop(snapshot: SnapshotMessages): void {
    snapshot.stop();
    if (this.#snapshot === snapshot) this.#discard();
    for (const [watcher, place] of [...this.#places]) {
      if (place.snapshot === snapshot) this.#end(watcher);
    }
  }

  #step(watcher: Watcher): number {
    const place = this.#places.get(watcher);
    if (place === undefined || !watcher.hasRoom) return 0;
    const message = this.#next(place);
    if (message === undefined) return 0;
    try {
      watcher.take(message);
    } catch (error) {
      this.#deps.onFault(error);
      this.#end(watcher);
    }
    return message.length;
  }

  #next(place: Place): Buffer | undefined {
    const { snapshot } = place;
    if (snapshot !== undefined) {
      const piece = snapshot.at(place.index);
      place.index += 1;
      if (piece !== undefined) return piece;
      place.index -= 1;
      if (!snapshot.isComplete) return undefined;
      this.#finish(place);
    }
    const delta = this.#log.get(place.seq + 1);
    if (delta !== undefined) place.seq += 1;
    return delta;
  }

  #lose(watcher: Watcher): void {
    this.#deps.onLost();
    this.#end(watcher);
  }

  #end(watcher: Watcher): void {
    this.delete(watcher);
    watcher.lost();
  }

  /** Deltas that everybody has, and nobody who comes needs, are kept no longer. */
  #release(): void {
    let least = this.#snapshot?.seq ?? this.#seq;
    for (const { seq } of this.#places.values()) least = Math.min(least, seq);
    this.#log.release(least);
  }

  #forget(): void {
    this.#snapshot?.stop();
    this.#discard();
    this.#log.release(this.#seq);
  }

  /** Who comes from now on gets another one; who reads this one goes on. */
  #discard(): void {
    const snapshot = this.#snapshot;
    this.#keeping?.cancel();
    this.#snapshot = undefined;
    if (snapshot?.readers === 0) this.#deps.room.remove(snapshot);
  }

  /** It has its snapshot, or will not read it any further. */
  #finish(place: Place | undefined): void {
    const snapshot = place?.snapshot;
    if (place === undefined || snapshot === undefined) return;
    place.snapshot = undefined;
    snapshot.readers -= 1;
    const isKept = this.#snapshot === snapshot;
    if (snapshot.readers === 0 && !isKept) this.#deps.room.remove(snapshot);
  }
}
