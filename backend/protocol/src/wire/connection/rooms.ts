import type { WireClock } from "../clock.ts";
import type { HeldShare } from "../held.ts";
import { type Lap, Room, type RoomOwner } from "./room.ts";

/** What a channel gets at first, when there is enough: good for 20 Mbit/s at 100 ms. */
const FIRST_BYTES = 256 << 10;
/** The most one channel has; the same as Go's, good for 160 Mbit/s at 100 ms. */
const MOST_BYTES = 2 << 20;
/** The least of the first channels, so that every one goes on, whatever the others have. */
const LEAST_BYTES = 8 << 10;
/** So many are the first ones; those beyond go on as well, but slowly, until some of them end. */
const FIRST_CHANNELS = 256;
/** What is kept for the first ones, and as much again for the others. */
const KEPT_PART = 1 / 5;
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
  /** Channels that may have room at once. */
  readonly maxChannels: number;
}

/** Channels that are counted alike, and what each of them has at the least. */
interface Tier {
  readonly channels: number;
  readonly leastBytes: number;
}

/**
 * The room that the channels of one connection give their peer: what it may send before it was
 * read. All of them together never have more than the connection may hold. A channel begins with a
 * little, gets more while its reader is fast, and gives back when it is slow; some is kept for those
 * that come later.
 */
export class Rooms implements RoomOwner {
  readonly #deps: RoomsDeps;
  readonly #first: Tier;
  readonly #others: Tier;
  #count = 0;
  #bytes = 0;

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
    const first = Math.min(deps.maxChannels, FIRST_CHANNELS);
    this.#first = tier(first, deps.held);
    this.#others = tier(deps.maxChannels - first, deps.held);
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
    const { leastBytes } = this.#count < this.#first.channels ? this.#first : this.#others;
    const bytes = Math.max(leastBytes, Math.min(FIRST_BYTES, part));
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
    const { held } = this.#deps;
    const first = Math.max(0, this.#first.channels - this.#count);
    const others = this.#others.channels - Math.max(0, this.#count - this.#first.channels);
    const kept = first * this.#first.leastBytes + others * this.#others.leastBytes;
    return Math.max(0, Math.min(held.max - kept - this.#bytes, held.processFree));
  }

  #change(bytes: number): void {
    this.#bytes += bytes;
    this.#deps.held.promise(bytes);
  }
}

function tier(channels: number, { max }: HeldShare): Tier {
  const share = Math.floor((max * KEPT_PART) / Math.max(channels, 1));
  return { channels, leastBytes: Math.max(1, Math.min(LEAST_BYTES, share)) };
}

/** Half of it goes back of who is slow, but not what everybody gets at first. */
function less(room: number, tookMs: number): number {
  if (tookMs <= SLOW_MS || room <= FIRST_BYTES) return 0;
  return Math.max(FIRST_BYTES, room >> 1) - room;
}
