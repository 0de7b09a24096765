import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/**
 * A connection as TLS reads it: by its stream, and not below it. Given a socket, Node takes up to half a
 * megabyte of records off it in one turn of the event loop, whoever paces the socket; a hundred thousand of
 * them that carry a byte each, or new keys (RFC 8446, 4.6.3), are seconds of work that nobody sees. What
 * stands here instead gets what the socket's pace lets through, and no more.
 */
export class PacedBelow extends Duplex {
  /** The connection itself. */
  readonly raw: Socket;

  constructor(raw: Socket) {
    super({ allowHalfOpen: true });
    this.raw = raw;
    raw.on("data", (piece: Buffer) => {
      if (!this.push(piece)) raw.pause();
    });
    raw.once("end", () => this.push(null));
    raw.once("close", () => this.destroy());
  }

  override _read(): void {
    this.raw.resume();
  }

  override _write(piece: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.raw.write(piece, done);
  }

  override _writev(pieces: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.raw.cork();
    const last = pieces.length - 1;
    for (const [at, { chunk }] of pieces.entries()) {
      if (at === last) this.raw.write(chunk, done);
      else this.raw.write(chunk);
    }
    this.raw.uncork();
  }

  override _final(done: Done): void {
    this.raw.end(done);
  }

  override _destroy(_error: Error | null, done: Done): void {
    this.raw.destroy();
    done(null);
  }
}

type Done = (error?: Error | null) => void;
