import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What a line does to the bytes of each connection, each way. */
export interface LineQuality {
  /** On the way for so long. */
  readonly delayMs?: number;
  /** More or less by up to so much. */
  readonly jitterMs?: number;
  /** Width. Unlimited when it is left out. */
  readonly bytesPerSecond?: number;
  /**
   * Share of the pieces that are lost once. TCP brings them again: they, and all after them, come
   * later by the time that the sender waits for an answer.
   */
  readonly lossShare?: number;
  /** Bytes are handed on in pieces of at most so many. */
  readonly pieceBytes?: number;
}

/** Decides chance; from 0 up to 1. */
export type Chance = () => number;

/** A sender waits at least this long before it sends a lost piece again (RFC 6298, as Linux). */
const RESEND_MS = 200;
/** What fits on the line; more makes the sender wait. */
const IN_FLIGHT_BYTES = 64 << 10;
/** One packet of Ethernet. */
const PIECE_BYTES = 1_448;

/** One direction of a connection: pieces arrive in order, each at its time. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #line: BadLine;
  /** When the line has passed on all that came so far, and when the last of it arrives. */
  #freeAtMs = 0;
  #lastAtMs = 0;
  #inFlight = 0;
  readonly #onTheWay: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(from: Socket, to: Socket, line: BadLine) {
    this.#from = from;
    this.#to = to;
    this.#line = line;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => this.#later(0, () => to.end()));
  }

  #take(bytes: Buffer): void {
    const { pieceBytes = PIECE_BYTES } = this.#line.quality;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      this.#inFlight += piece.length;
      this.#later(piece.length, () => this.#deliver(piece));
    }
    if (this.#inFlight > IN_FLIGHT_BYTES) this.#from.pause();
  }

  #deliver(piece: Buffer): void {
    this.#inFlight -= piece.length;
    if (!this.#to.destroyed) this.#to.write(piece);
    if (this.#inFlight <= IN_FLIGHT_BYTES) this.#from.resume();
  }

  /** In order: nothing overtakes what came before it. */
  #later(bytes: number, run: () => void): void {
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + this.#line.timeOf(bytes);
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#freeAtMs + this.#line.delayOf());
    this.#onTheWay.push({ atMs: this.#lastAtMs, run });
    if (this.#onTheWay.length === 1) this.#wait(nowMs);
  }

  /** One timer for all that is on its way: two timers may fire in either order. */
  #wait(nowMs: number): void {
    const [first] = this.#onTheWay;
    if (first !== undefined) setTimeout(() => this.#arrive(), first.atMs - nowMs);
  }

  #arrive(): void {
    const nowMs = performance.now();
    while ((this.#onTheWay[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const arrived = this.#onTheWay.shift();
      if (arrived !== undefined) this.#line.whenOpen(arrived.run);
    }
    this.#wait(nowMs);
  }
}

/**
 * A line to a server, in this process: it delays, loses, narrows, stands still, and breaks. Packets
 * themselves are the kernel's; what a lost one does to a connection is imitated by its time.
 */
export class BadLine implements AsyncDisposable {
  /** What it does from now on; nothing by itself. */
  quality: LineQuality = {};
  readonly #server: Server;
  readonly #chance: Chance;
  readonly #sockets = new Set<Socket>();
  #waiting: (() => void)[] | undefined;

  private constructor(server: Server, chance: Chance) {
    this.#server = server;
    this.#chance = chance;
  }

  /** Leads from any free port of `host` to a port of 127.0.0.1. */
  static async open(target: number, chance: Chance, host = "127.0.0.1"): Promise<BadLine> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const line = new BadLine(server, chance);
    server.on("connection", (near) => line.#join(near, target));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, host, resolve);
    });
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** From now on nothing passes, and nothing is closed. */
  freeze(): void {
    this.#waiting ??= [];
  }

  /** What waited passes, in order. */
  thaw(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const run of waiting) run();
  }

  /** Breaks all connections, both ends at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The time that a piece takes of the line's width. */
  timeOf(bytes: number): number {
    const { bytesPerSecond } = this.quality;
    return bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1_000;
  }

  /** How long a piece is on its way. */
  delayOf(): number {
    const { delayMs = 0, jitterMs = 0, lossShare = 0 } = this.quality;
    const resentMs = this.#chance() < lossShare ? RESEND_MS + 2 * delayMs : 0;
    return Math.max(0, delayMs + (2 * this.#chance() - 1) * jitterMs) + resentMs;
  }

  /** Runs it now, or when the line stands still no more. */
  whenOpen(run: () => void): void {
    if (this.#waiting === undefined) run();
    else this.#waiting.push(run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket, target: number): void {
    const far = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    for (const socket of [near, far]) this.#keep(socket);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("close", () => other.destroy());
      new Direction(one, other, this);
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
