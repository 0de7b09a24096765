import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** Longer pieces are sent as several. */
const PIECE_MAX_BYTES = 64 * 1024;
const HEADER_BYTES = 5;

const KINDS = ["data", "end", "opening", "ready", "failed", "naming"] as const;

/** What is said beside the bytes: what is wanted, that it is there, and why it failed. */
export type SaidKind = Exclude<(typeof KINDS)[number], "data" | "end">;

/** Something said beside the bytes. */
export interface Said {
  readonly kind: SaidKind;
  readonly text: string;
}

/**
 * The bytes of one connection between a program of this computer and a window, over a socket that has proven
 * who is there. Each direction ends for itself and each side waits for the other, also where the system's own
 * sockets cannot do that (named pipes have no half of an end). The first thing in a frame is its kind, then the
 * length of what follows. Whoever sends anything else is cut off.
 */
export class FramedStream extends Duplex {
  readonly #socket: Socket;
  readonly #onSaid: (said: Said) => void;
  #unread: Buffer = Buffer.alloc(0);
  #isOtherEnded = false;

  /**
   * @param socket paused
   * @param onSaid called with what the other side says beside the bytes
   */
  constructor(socket: Socket, onSaid: (said: Said) => void) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#onSaid = onSaid;
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece) => this.#take(piece));
    if (socket.destroyed) setImmediate(() => this.destroy());
    else socket.once("close", () => this.#leave());
    socket.resume();
  }

  /** Says something beside the bytes, after those that were written; harmless when the other side has gone. */
  say(kind: SaidKind, text = ""): void {
    this.#send(kind, Buffer.from(text));
  }

  /** Ends it after what was written has gone out. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Ends it at once; what is said at that moment still goes out. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    for (let from = 0; from < chunk.length; from += PIECE_MAX_BYTES) {
      this.#send("data", chunk.subarray(from, from + PIECE_MAX_BYTES));
    }
    waitFor(this.#socket, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#send("end", Buffer.alloc(0));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    setImmediate(() => this.#socket.destroySoon());
    // who waits for a reader that has gone
    this.#socket.resume();
    done(error);
  }

  /** The other side has gone; what it sent before still has to be read. */
  #leave(): void {
    if (this.#isOtherEnded && !this.readableEnded) this.once("end", () => this.destroy());
    else this.destroy();
  }

  #send(kind: (typeof KINDS)[number], payload: Buffer): void {
    if (this.#socket.destroyed) return;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(KINDS.indexOf(kind), 0);
    header.writeUInt32BE(payload.length, 1);
    this.#socket.cork();
    this.#socket.write(header);
    if (payload.length > 0) this.#socket.write(payload);
    this.#socket.uncork();
  }

  #take(piece: Buffer): void {
    if (this.destroyed) return;
    this.#unread = this.#unread.length === 0 ? piece : Buffer.concat([this.#unread, piece]);
    while (this.#unread.length >= HEADER_BYTES && !this.destroyed) {
      const kind = KINDS[this.#unread.readUInt8(0)];
      const end = HEADER_BYTES + this.#unread.readUInt32BE(1);
      if (kind === undefined || end > HEADER_BYTES + PIECE_MAX_BYTES) {
        this.destroy();
        return;
      }
      if (this.#unread.length < end) return;
      const payload = this.#unread.subarray(HEADER_BYTES, end);
      this.#unread = this.#unread.subarray(end);
      this.#receive(kind, payload);
    }
  }

  #receive(kind: (typeof KINDS)[number], payload: Buffer): void {
    if (kind === "data" && this.#isOtherEnded) {
      this.destroy();
    } else if (kind === "data") {
      if (!this.push(payload)) this.#socket.pause();
    } else if (kind === "end") {
      if (!this.#isOtherEnded) this.push(null);
      this.#isOtherEnded = true;
    } else {
      this.#onSaid({ kind, text: payload.toString() });
    }
  }
}

/** Calls back when the socket takes more, or never will. */
function waitFor(socket: Socket, done: () => void): void {
  const go = () => {
    socket.off("drain", go).off("close", go);
    done();
  };
  if (socket.writableNeedDrain && !socket.destroyed) socket.on("drain", go).on("close", go);
  else done();
}
