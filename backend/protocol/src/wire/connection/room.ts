/** Room is given back in pieces of a quarter of it, or of this size, not for every packet. */
const PIECE_BYTES = 256 << 10;

/** How a channel read its whole room once. */
export interface Lap {
  readonly tookMs: number;
  /** What was read last, and not given back yet. */
  readonly readBytes: number;
}

/** Whom a room belongs to. */
export interface RoomOwner {
  /** For measuring how fast a reader is. */
  nowMs(): number;
  /** How much more, or less, a room of so many bytes has from now on that was read whole. */
  adjust(room: number, lap: Lap): number;
  /** A room of so many bytes is gone. */
  release(room: number): void;
}

/** What the peer of one channel may send before we have read it. */
export class Room {
  readonly #owner: RoomOwner;
  #bytes: number;
  /** What it may still send. */
  #window: number;
  /** What it has sent, as far as we have not let it send as much again. */
  #taken = 0;
  /** What was read since `#lapMs`. */
  #lapBytes = 0;
  #lapMs: number;
  #isReleased = false;

  constructor(owner: RoomOwner, bytes: number) {
    this.#owner = owner;
    this.#bytes = bytes;
    this.#window = bytes;
    this.#lapMs = owner.nowMs();
  }

  /** All that may be unread. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The peer has sent so much; false when it was more than it may. */
  take(bytes: number): boolean {
    this.#window -= bytes;
    this.#taken += bytes;
    return this.#window >= 0;
  }

  /**
   * All that came is read but so much: what the peer may send from now on beyond what it may
   * already; 0 while that is not worth a message.
   */
  giveBack(unreadBytes: number): number {
    const readBytes = this.#taken - unreadBytes;
    if (readBytes < Math.min(PIECE_BYTES, this.#bytes >> 2)) return 0;
    this.#taken -= readBytes;
    const bytes = readBytes + this.#adjusted(readBytes);
    this.#window += bytes;
    return bytes;
  }

  /** The channel is gone, with all that was not read; harmless when that is known already. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#owner.release(this.#bytes);
  }

  /** The faster the reader the more room; answers how much more, or less, it has from now on. */
  #adjusted(readBytes: number): number {
    this.#lapBytes += readBytes;
    if (this.#lapBytes < this.#bytes) return 0;
    const nowMs = this.#owner.nowMs();
    const change = this.#owner.adjust(this.#bytes, { tookMs: nowMs - this.#lapMs, readBytes });
    this.#bytes += change;
    this.#lapBytes = 0;
    this.#lapMs = nowMs;
    return change;
  }
}
