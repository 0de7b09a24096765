import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "../platform/clock.ts";
import { SharedBytes } from "./sharedText.ts";

/** Whoever reads a snapshot has so long for it in any case, though others wait. */
const READING_MS = 60_000;

/** What all snapshots may have together. */
export interface SnapshotRoomDeps {
  readonly maxBytes: number;
  /** Somebody has to wait, or one was dropped, because together they have more. */
  readonly onFull: () => void;
  /** Whether a snapshot that begins now shares the texts of one that began a moment ago. */
  readonly isShared: () => boolean;
  readonly clock: Pick<Clock, "after" | "monotonic">;
  readonly onFault: OnFault;
}

/** A snapshot as far as its room is concerned. */
export interface Roomed {
  /** Nobody reads it any more. */
  end(): void;
}

interface Live {
  readonly sinceMs: number;
  /** Ends whoever reads it, and takes it out. */
  readonly drop: () => void;
}

/**
 * The snapshots that somebody reads, or may soon, of all audiences. When they have too many bytes,
 * whoever comes waits until there is room again. The oldest is dropped for those who wait, but not
 * before there was time enough to read it.
 */
export class SnapshotRoom {
  readonly texts = new SharedBytes("inSnapshots");
  readonly #deps: SnapshotRoomDeps;
  /** By their age. */
  readonly #live = new Map<Roomed, Live>();
  /** Each with what begins its snapshot; who has waited longest stands first. */
  readonly #waiting = new Map<object, () => void>();
  #patience: Timer | undefined;
  #isAdmitting = false;

  constructor(deps: SnapshotRoomDeps) {
    this.#deps = deps;
  }

  /** What all of them have. */
  get bytes(): number {
    return this.texts.bytes;
  }

  /** Begins a snapshot for somebody, now or when there is room for it. */
  ask(who: object, begin: () => void): void {
    if (this.#waiting.has(who)) return;
    if (this.#hasRoom) {
      begin();
      return;
    }
    this.#deps.onFull();
    this.#waiting.set(who, begin);
    this.#patience ??= this.#waitForOldest();
  }

  /** They need none any more; harmless when they do not wait. */
  leave(who: object): void {
    this.#waiting.delete(who);
    if (this.#waiting.size === 0) this.#stopWaiting();
  }

  /** One has begun. */
  enter(snapshot: Roomed, drop: () => void): void {
    this.#live.set(snapshot, { sinceMs: this.#deps.clock.monotonic(), drop });
  }

  /** Nobody reads it any more; harmless when it is not there. */
  remove(snapshot: Roomed): void {
    if (!this.#live.delete(snapshot)) return;
    snapshot.end();
    this.#admitSoon();
  }

  get #hasRoom(): boolean {
    const { maxBytes, isShared } = this.#deps;
    return this.#live.size === 0 || this.bytes < maxBytes || isShared();
  }

  /** Not at once: somebody is just being sent something. */
  #admitSoon(): void {
    if (this.#isAdmitting || this.#waiting.size === 0) return;
    this.#isAdmitting = true;
    const admit = (): void => {
      this.#isAdmitting = false;
      this.#admit();
    };
    setImmediate(guarded(this.#deps.onFault, admit));
  }

  #admit(): void {
    for (const [who, begin] of this.#waiting) {
      if (!this.#hasRoom) break;
      this.leave(who);
      begin();
    }
    if (this.#waiting.size > 0) this.#patience ??= this.#waitForOldest();
  }

  #waitForOldest(): Timer | undefined {
    const [oldest] = this.#live.values();
    if (oldest === undefined) return undefined;
    const { clock } = this.#deps;
    const leftMs = oldest.sinceMs + READING_MS - clock.monotonic();
    return clock.after(Math.max(0, leftMs), () => this.#judgeOldest());
  }

  #judgeOldest(): void {
    this.#patience = undefined;
    if (!this.#hasRoom) this.#dropOldest();
    if (this.#hasRoom) this.#admitSoon();
    else this.#patience = this.#waitForOldest();
  }

  #dropOldest(): void {
    const { onFull, clock } = this.#deps;
    const [[snapshot, oldest] = []] = this.#live;
    if (snapshot === undefined || oldest === undefined) return;
    if (clock.monotonic() - oldest.sinceMs < READING_MS) return;
    onFull();
    oldest.drop();
    this.remove(snapshot);
  }

  #stopWaiting(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
  }
}
