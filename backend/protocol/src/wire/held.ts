/** What is held of one connection: half a message, requests that wait, what the peer does not take. */
export type HeldPart = "message" | "requests" | "unsent" | "stalled";

/** What a process may hold for its connections, in bytes. */
export interface HeldBytesDeps {
  /** For all of them. */
  readonly max: number;
  /** For each of them. */
  readonly perConnection: number;
  /** The connection that held most was ended, because all together held more than they may. */
  readonly onFull?: (() => void) | undefined;
}

/** Where nobody says otherwise: for a process with one connection, or a test. */
const USUAL: HeldBytesDeps = { max: 64 << 20, perConnection: 10 << 20 };

/**
 * The bytes that a process holds for its connections: came and not used up, written and not taken,
 * and promised to peers as room. Beyond its maximum nobody is promised more, and whoever holds most
 * is ended.
 */
export class HeldBytes {
  readonly perConnection: number;
  readonly #max: number;
  readonly #onFull: () => void;
  /** Those who hold something; most hold nothing. */
  readonly #holders = new Set<HeldShare>();
  #bytes = 0;

  constructor({ max, perConnection, onFull = () => {} }: HeldBytesDeps = USUAL) {
    this.#max = max;
    this.perConnection = perConnection;
    this.#onFull = onFull;
  }

  /** Held now, for all together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What may still be held. */
  get free(): number {
    return Math.max(0, this.#max - this.#bytes);
  }

  /** The share of one connection; `end` has to end it, and with that to close the share. */
  open(end: () => void): HeldShare {
    return new HeldShare(this, end);
  }

  /** Only for the shares: this one holds so much more, or less. */
  change(share: HeldShare, bytes: number): void {
    this.#bytes += bytes;
    if (share.heldBytes > 0) this.#holders.add(share);
    else this.#holders.delete(share);
    while (bytes > 0 && this.#bytes > this.#max) if (!this.#endWorst()) return;
  }

  /** What is only promised is not held yet: nobody is ended for that. */
  #endWorst(): boolean {
    let worst: HeldShare | undefined;
    for (const share of this.#holders) {
      if (worst === undefined || share.heldBytes > worst.heldBytes) worst = share;
    }
    if (worst === undefined) return false;
    this.#onFull();
    worst.end();
    return true;
  }
}

/** What of all that is one connection's. */
export class HeldShare {
  readonly #all: HeldBytes;
  readonly #end: () => void;
  /** From the first on: most connections hold nothing. */
  #parts: Record<HeldPart, number> | undefined;
  #heldBytes = 0;
  #promisedBytes = 0;
  #isClosed = false;

  constructor(all: HeldBytes, end: () => void) {
    this.#all = all;
    this.#end = end;
  }

  /** In memory, as far as it is not promised room. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Room that the peer was given to fill. */
  get promisedBytes(): number {
    return this.#promisedBytes;
  }

  /** Whether all connections together hold as much as they may. */
  get isProcessFull(): boolean {
    return this.#all.free === 0;
  }

  /** What all connections together may still hold. */
  get processFree(): number {
    return this.#all.free;
  }

  /** Most room that this peer is promised, and most that may wait for it. */
  get max(): number {
    return this.#all.perConnection;
  }

  /** Says how many bytes of one part are held now. */
  set(part: HeldPart, bytes: number): void {
    if (this.#isClosed || (bytes === 0 && this.#parts === undefined)) return;
    this.#parts ??= { message: 0, requests: 0, unsent: 0, stalled: 0 };
    const change = bytes - this.#parts[part];
    if (change === 0) return;
    this.#parts[part] = bytes;
    this.#heldBytes += change;
    this.#all.change(this, change);
  }

  /** The same by how many more, or less. */
  add(part: HeldPart, bytes: number): void {
    this.set(part, (this.#parts?.[part] ?? 0) + bytes);
  }

  /** The peer was given room for so many more bytes, or has no more than so many less. */
  promise(bytes: number): void {
    if (this.#isClosed || bytes === 0) return;
    this.#promisedBytes += bytes;
    this.#all.change(this, bytes);
  }

  /** Ends the connection. */
  end(): void {
    this.#end();
    this.close();
  }

  /** The connection has ended: nothing is held for it any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const bytes = this.#heldBytes + this.#promisedBytes;
    this.#heldBytes = 0;
    this.#promisedBytes = 0;
    if (bytes > 0) this.#all.change(this, -bytes);
  }
}
