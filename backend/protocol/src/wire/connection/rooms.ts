import type { WireClock } from "../clock.ts";
import type { HeldShare } from "../held.ts";
import { type Lap, Room, type RoomOwner } from "./room.ts";

/** What a channel gets at first, when there is enough: good for 20 Mbit/s at 100 ms. */
const FIRST_BYTES = 256 << 10;
/** The most one channel has; the same as Go's, good for 160 Mbit/s at 100 ms. */
const MOST_BYTES = 2 << 20;
/** The least, so that every channel goes on, whatever the others have. */
const LEAST_BYTES = 8 << 10;
/** Part of what is left that a channel gets at first, and the most it has of it later. */
const FIRST_PART = 1 / 24;
const MOST_PART = 1 / 3;
/** Who reads its whole room within this time could do with more. */
const FAST_MS = 1_000;
/** Who takes longer than this does not need what it has. */
const SLOW_MS = 5_000;

/** What the rooms of a connection are made of. */
export interface RoomsDeps {
  readonly held: HeldShare;
  readonly clock: Pick<WireClock, "monotonic">;
  /** Channels that there may be at once. */
  readonly maxChannels: number;
}

/**
 * The room that the channels of one connection give their peer: what it may send before it was
 * read. All of them together never have more than the connection may hold. A channel begins with a
 * little, gets more while its reader is fast, and gives back when it is slow; some is kept for those
 * that come later.
 */
export class Rooms implements RoomOwner {
  readonly #deps: RoomsDeps;
  readonly #leastBytes: number;
  #count = 0;
  #bytes = 0;

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
    const share = Math.floor(deps.held.max / 4 / deps.maxChannels);
    this.#leastBytes = Math.max(1, Math.min(LEAST_BYTES, share));
  }

  /** Channels that have room. */
  get count(): number {
    return this.#count;
  }

  nowMs(): number {
    return this.#deps.clock.monotonic();
  }

  /** Room for one more channel; undefined when there may be no more, or no more may be held. */
  first(): Room | undefined {
    const { held, maxChannels } = this.#deps;
    if (this.#count >= maxChannels || held.isProcessFull) return undefined;
    const part = Math.floor(this.#spare * FIRST_PART);
    const bytes = Math.max(this.#leastBytes, Math.min(FIRST_BYTES, part));
    this.#count += 1;
    this.#change(bytes);
    return new Room(this, bytes);
  }

  adjust(room: number, { tookMs, readBytes }: Lap): number {
    const change = tookMs <= FAST_MS ? this.#more(room) : Math.max(-readBytes, less(room, tookMs));
    this.#change(change);
    return change;
  }

  release(room: number): void {
    this.#count -= 1;
    this.#change(-room);
  }

  #more(room: number): number {
    const most = Math.min(MOST_BYTES, Math.floor((this.#spare + room) * MOST_PART), 2 * room);
    return Math.max(0, most - room);
  }

  /** What may be given away and still leaves the least to all who may come. */
  get #spare(): number {
    const { held, maxChannels } = this.#deps;
    const kept = this.#leastBytes * (maxChannels - this.#count);
    return Math.max(0, Math.min(held.max - kept - this.#bytes, held.processFree));
  }

  #change(bytes: number): void {
    this.#bytes += bytes;
    this.#deps.held.promise(bytes);
  }
}

/** Half of it goes back of who is slow, but not what everybody gets at first. */
function less(room: number, tookMs: number): number {
  if (tookMs <= SLOW_MS || room <= FIRST_BYTES) return 0;
  return Math.max(FIRST_BYTES, room >> 1) - room;
}
