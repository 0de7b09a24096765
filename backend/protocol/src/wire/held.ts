import { Holders } from "./holders.ts";

/**
 * What is held of one connection: half a message of the WebSocket, half a packet and what a key exchange
 * needs, packets and requests that wait, what the peer does not take.
 */
export type HeldPart = "message" | "packet" | "unparsed" | "requests" | "unsent" | "stalled";

/** What a process may hold for its connections, in bytes. */
export interface HeldBytesDeps {
  /** For all of them. */
  readonly max: number;
  /** For each of them. */
  readonly perConnection: number;
  /** The connection that held most was ended, because all together held more than they may. */
  readonly onFull?: (() => void) | undefined;
  /** What may wait for the peer of one connection from those who talk to it; undefined: as much as for all. */
  readonly perPeer?: number | undefined;
  /** Of those who talk to one peer, the one that had waited longest was ended, because together they had more. */
  readonly onStalled?: (() => void) | undefined;
  /** Held for all connections of one group together; undefined: as much as for all. */
  readonly perGroup?: number | undefined;
  /** The connection that held most of this group was ended, because the group held more than that. */
  readonly onGroupFull?: ((group: string) => void) | undefined;
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
  readonly #deps: HeldBytesDeps;
  readonly #holders = new Holders();
  /** Those of which somebody holds something. */
  readonly #groups = new Map<string, Holders>();
  #promisedBytes = 0;

  constructor(deps: HeldBytesDeps = USUAL) {
    this.#deps = deps;
    this.perConnection = deps.perConnection;
  }

  /** Held now, for all together, and promised. */
  get bytes(): number {
    return this.#holders.bytes + this.#promisedBytes;
  }

  /** What may still be held. */
  get free(): number {
    return Math.max(0, this.#deps.max - this.bytes);
  }

  /** What may wait for one peer from those who talk to it. */
  get perPeer(): number {
    return this.#deps.perPeer ?? this.#deps.max;
  }

  /** Only for the shares: somebody who talked to a peer was ended. */
  stalled(): void {
    this.#deps.onStalled?.();
  }

  /** The share of one connection; `end` has to end it, and with that to close the share. */
  open(end: () => void): HeldShare {
    return new HeldShare(this, end);
  }

  /** Only for the shares: this one holds so much more, or less, of its own and of its group's. */
  hold(share: HeldShare, bytes: number): void {
    this.#holders.count(share, bytes);
    if (share.group !== undefined) this.holdInGroup(share, share.group, bytes);
    this.#enforce(bytes);
  }

  /** Only for the shares: so much of what this one holds is a group's, or no longer. */
  holdInGroup(share: HeldShare, name: string, bytes: number): void {
    const { max, perGroup = max, onGroupFull } = this.#deps;
    const group = this.#groups.get(name) ?? new Holders();
    this.#groups.set(name, group);
    group.count(share, bytes);
    while (bytes > 0 && group.bytes > perGroup && group.endWorst()) onGroupFull?.(name);
    if (group.bytes === 0) this.#groups.delete(name);
  }

  /** Only for the shares: somebody is promised so much more, or less. */
  promise(bytes: number): void {
    this.#promisedBytes += bytes;
    this.#enforce(bytes);
  }

  /** What is only promised is not held yet: nobody is ended for that. */
  #enforce(bytes: number): void {
    const { max, onFull } = this.#deps;
    while (bytes > 0 && this.bytes > max && this.#holders.endWorst()) onFull?.();
  }
}

/** Somebody whose bytes wait for a peer. */
export interface Waiting {
  /** Ends it; its bytes wait no more. */
  end(): void;
}

/** What of all that is one connection's. */
export class HeldShare {
  readonly #all: HeldBytes;
  readonly #end: () => void;
  #group: string | undefined;
  /** From the first on: most connections hold nothing. */
  #parts: Record<HeldPart, number> | undefined;
  /** Those whose bytes wait, in the order in which they began to; from the first on. */
  #waiting: Map<Waiting, number> | undefined;
  #waitingBytes = 0;
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

  /** Whose bytes these are, too. */
  get group(): string | undefined {
    return this.#group;
  }

  /** From now on, what is held is a group's, too: of all who came with the same password. */
  join(group: string): void {
    if (this.#isClosed || this.#group !== undefined) return;
    this.#group = group;
    if (this.#heldBytes > 0) this.#all.holdInGroup(this, group, this.#heldBytes);
  }

  /** Says how many bytes of one part are held now. */
  set(part: HeldPart, bytes: number): void {
    if (this.#isClosed || (bytes === 0 && this.#parts === undefined)) return;
    this.#parts ??= { message: 0, packet: 0, unparsed: 0, requests: 0, unsent: 0, stalled: 0 };
    const change = bytes - this.#parts[part];
    if (change === 0) return;
    this.#parts[part] = bytes;
    this.#heldBytes += change;
    this.#all.hold(this, change);
  }

  /** The same by how many more, or less. */
  add(part: HeldPart, bytes: number): void {
    this.set(part, (this.#parts?.[part] ?? 0) + bytes);
  }

  /**
   * So many bytes of somebody wait now. Beyond what may wait for one peer, whoever has waited longest
   * is ended: not the connection, which others use as well.
   */
  wait(waiting: Waiting, bytes: number): void {
    if (this.#isClosed || (bytes === 0 && this.#waiting === undefined)) return;
    this.#waiting ??= new Map();
    this.#waitingBytes += bytes - (this.#waiting.get(waiting) ?? 0);
    if (bytes > 0) this.#waiting.set(waiting, bytes);
    else this.#waiting.delete(waiting);
    this.set("stalled", this.#waitingBytes);
    while (!this.#isClosed && this.#waitingBytes > this.#all.perPeer) this.#endOldest();
  }

  #endOldest(): void {
    const [oldest] = this.#waiting?.keys() ?? [];
    if (oldest === undefined) return;
    this.wait(oldest, 0);
    this.#all.stalled();
    oldest.end();
  }

  /** The peer was given room for so many more bytes, or has no more than so many less. */
  promise(bytes: number): void {
    if (this.#isClosed || bytes === 0) return;
    this.#promisedBytes += bytes;
    this.#all.promise(bytes);
  }

  /** Ends whoever has waited longest for the peer, or else the connection. */
  end(): void {
    if (this.#waitingBytes > 0) {
      this.#endOldest();
      return;
    }
    this.#end();
    this.close();
  }

  /** The connection has ended: nothing is held for it any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const [held, promised] = [this.#heldBytes, this.#promisedBytes];
    this.#heldBytes = 0;
    this.#promisedBytes = 0;
    if (held > 0) this.#all.hold(this, -held);
    if (promised > 0) this.#all.promise(-promised);
  }
}
