import type { OnFault } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Backlog } from "./backlog.ts";
import type { Changes } from "./delta.ts";
import { DeltaLog } from "./deltaLog.ts";
import type { Message } from "./message.ts";
import type { Pump } from "./pump.ts";
import type { RecentMessages } from "./recentMessages.ts";
import type { ShownThings } from "./shownThings.ts";
import { Snapshot, type SnapshotDeps } from "./snapshot.ts";
import type { SnapshotMaker } from "./snapshotMaker.ts";
import type { SnapshotRoom } from "./snapshotRoom.ts";
import type { Watcher } from "./watcher.ts";

/** A complete snapshot is kept for so long for whoever comes next. */
const SNAPSHOT_KEPT_MS = 10_000;

/** What an audience works with: its own, and what all audiences share. */
export interface AudienceDeps {
  /** The last delta so far. */
  readonly seq: number;
  /** What these watchers are shown. */
  readonly shown: ShownThings;
  /** What a snapshot behind the delta `seq` is made of. */
  readonly contents: (seq: number) => Pick<SnapshotDeps, "facts" | "things" | "encodedBytes">;
  readonly shared: SharedByAudiences;
  readonly clock: Pick<Clock, "after">;
  readonly onFault: OnFault;
}

/** What there is once for all audiences. */
export interface SharedByAudiences {
  /** Where all deltas are counted that somebody has still to be told. */
  readonly backlog: Backlog;
  /** A watcher was further behind than those. */
  readonly onLost: () => void;
  /** Where all snapshots are counted. */
  readonly room: SnapshotRoom;
  readonly maker: SnapshotMaker;
  readonly messages: RecentMessages;
  readonly pump: Pump;
}

/** How far a watcher is. */
interface Place {
  /** Nothing has begun for it yet: there was no room for another snapshot. */
  isWaiting: boolean;
  /** What it reads first; undefined once it has all of it. */
  snapshot: Snapshot | undefined;
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
  #snapshot: Snapshot | undefined;
  /** Until the snapshot is kept no longer. */
  #keeping: Timer | undefined;
  #seq: number;

  constructor(deps: AudienceDeps) {
    this.#deps = deps;
    this.#seq = deps.seq;
    this.#log = new DeltaLog(deps.seq, deps.shared.backlog, () => this.#loseBehind());
  }

  /** How many watch now. */
  get size(): number {
    return this.#places.size;
  }

  /** Tells a watcher first what there is; from then on it hears of what changes. */
  add(watcher: Watcher): void {
    const place = { isWaiting: true, snapshot: undefined, index: 0, seq: this.#seq };
    this.#places.set(watcher, place);
    if (this.#snapshot === undefined) {
      this.#deps.shared.room.ask(this, () => this.#begin());
      return;
    }
    this.#give(this.#snapshot, place);
    this.#deps.shared.pump.wake(this, [watcher]);
  }

  /** Takes a watcher out; harmless when it is not in. */
  delete(watcher: Watcher): void {
    const { room, pump } = this.#deps.shared;
    this.#finish(this.#places.get(watcher));
    this.#places.delete(watcher);
    pump.drop(this, watcher);
    if (!this.#isAwaited) room.leave(this);
    if (this.#places.size === 0) this.#forget();
  }

  /** The watcher has room again. */
  resume(watcher: Watcher): void {
    if (this.#places.has(watcher)) this.#deps.shared.pump.wake(this, [watcher]);
  }

  /**
   * Tells everybody what of these changes they may see, as the next delta. Who is too far behind is
   * told nothing any more.
   */
  tell(changes: Changes): void {
    const message = changes.for(this.#deps.shown, this.#seq + 1);
    if (message === undefined) return;
    this.#log.add(message);
    this.#seq += 1;
    this.#deps.shared.backlog.judge();
    this.#deps.shared.pump.wake(this, this.#places.keys());
    this.#release();
  }

  /** Sends one message to a watcher; answers with its bytes, 0 when there is nothing to send now. */
  step(watcher: Watcher): number {
    const place = this.#places.get(watcher);
    if (place === undefined || place.isWaiting || !watcher.hasRoom) return 0;
    const message = this.#next(place);
    if (message === undefined) return 0;
    const bytes = this.#deps.shared.messages.bytesOf(message);
    try {
      watcher.take(bytes);
    } catch (error) {
      this.#deps.onFault(error);
      this.#end(watcher);
    }
    return bytes.length;
  }

  /** There is room: a snapshot for those who wait, and for whoever comes from now on. */
  #begin(): void {
    const { contents, shown, shared } = this.#deps;
    const { facts, things, encodedBytes } = contents(this.#seq);
    const snapshot: Snapshot = new Snapshot({
      facts,
      things,
      encodedBytes,
      shown,
      texts: shared.room.texts,
      onMore: () => this.#grown(snapshot),
      onFault: (error) => this.#failed(snapshot, error),
    });
    this.#snapshot = snapshot;
    for (const place of this.#places.values()) if (place.isWaiting) this.#give(snapshot, place);
    shared.room.enter(snapshot, () => this.#drop(snapshot));
    shared.maker.add(snapshot);
  }

  #give(snapshot: Snapshot, place: Place): void {
    place.isWaiting = false;
    place.snapshot = snapshot;
    place.seq = snapshot.seq;
    snapshot.readers += 1;
  }

  get #isAwaited(): boolean {
    for (const { isWaiting } of this.#places.values()) if (isWaiting) return true;
    return false;
  }

  #grown(snapshot: Snapshot): void {
    const readers = [...this.#places].filter(([, place]) => place.snapshot === snapshot);
    const woken = readers.map(([watcher]) => watcher);
    this.#deps.shared.pump.wake(this, woken);
    if (!snapshot.isComplete || this.#snapshot !== snapshot) return;
    this.#keeping = this.#deps.clock.after(SNAPSHOT_KEPT_MS, () => {
      this.#discard();
      this.#release();
    });
  }

  #failed(snapshot: Snapshot, error: unknown): void {
    this.#deps.onFault(error);
    this.#drop(snapshot);
  }

  /** Whoever reads it begins anew. */
  #drop(snapshot: Snapshot): void {
    if (this.#snapshot === snapshot) this.#discard();
    for (const [watcher, place] of [...this.#places]) {
      if (place.snapshot === snapshot) this.#end(watcher);
    }
  }

  #next(place: Place): Message | undefined {
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

  /** Deltas were dropped for lack of room that somebody would still have to be told. */
  #loseBehind(): void {
    const { base } = this.#log;
    if (this.#snapshot !== undefined && this.#snapshot.seq < base) this.#discard();
    for (const [watcher, { seq, isWaiting }] of [...this.#places]) {
      if (isWaiting || seq >= base) continue;
      this.#deps.shared.onLost();
      this.#end(watcher);
    }
  }

  #end(watcher: Watcher): void {
    this.delete(watcher);
    watcher.lost();
  }

  /** Deltas that everybody has, and nobody who comes needs, are kept no longer. */
  #release(): void {
    let least = this.#snapshot?.seq ?? this.#seq;
    for (const { seq, isWaiting } of this.#places.values()) {
      if (!isWaiting) least = Math.min(least, seq);
    }
    this.#log.release(least);
  }

  #forget(): void {
    this.#discard();
    this.#log.release(this.#seq);
  }

  /** Who comes from now on gets another one; who reads this one goes on. */
  #discard(): void {
    const snapshot = this.#snapshot;
    this.#keeping?.cancel();
    this.#snapshot = undefined;
    if (snapshot?.readers === 0) this.#deps.shared.room.remove(snapshot);
  }

  /** It has its snapshot, or will not read it any further. */
  #finish(place: Place | undefined): void {
    const snapshot = place?.snapshot;
    if (place === undefined || snapshot === undefined) return;
    place.snapshot = undefined;
    snapshot.readers -= 1;
    const isKept = this.#snapshot === snapshot;
    if (snapshot.readers === 0 && !isKept) this.#deps.shared.room.remove(snapshot);
  }
}
