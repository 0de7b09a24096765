import { Duplex } from "node:stream";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { INLET_HIGH_WATER_BYTES, Inlet } from "@rport/protocol/wire/inlet";
import type { RawData, WebSocket } from "ws";

/** Above this many bytes that wait the other side waits, too. */
const HIGH_WATER_BYTES = 64 << 10;
const NORMAL_CLOSURE = 1000;
const UNSUPPORTED_DATA = 1003;
const CUT = "The connection to the client was cut.";
const NOTHING = Buffer.alloc(0);
const END_OF_DIRECTION = NOTHING;

/**
 * An editor's WebSocket as a stream: binary messages are the bytes, an empty one is the end of its
 * direction, and whoever does not read stops the other side. A text message ends it with close code
 * 1003. Destroying it closes the socket, behind what was sent: as cut off where there is an error, or its direction
 * to the editor has not ended. The end of the socket destroys it.
 */
export class EditorStream extends Duplex {
  readonly #ws: WebSocket;
  readonly #inlet = new Inlet(this);
  /** Whoever has written waits for this, while something is unsent. */
  #onSent: (() => void) | undefined;
  #hasEditorEnded = false;

  /** The socket may be paused; it flows once somebody reads. */
  constructor(ws: WebSocket) {
    super({
      readableHighWaterMark: INLET_HIGH_WATER_BYTES,
      writableHighWaterMark: HIGH_WATER_BYTES,
    });
    this.#ws = ws;
    ws.on("message", (data, isBinary) => this.#take(data, isBinary));
    ws.once("close", () => this.destroy());
  }

  /** Bytes that came and were not read. */
  get unread(): number {
    return this.#inlet.unread;
  }

  /** Takes all that came and was not read, also after the end of the socket. */
  takeUnread(): Buffer {
    const next: Buffer | null = this.read();
    return Buffer.concat([next ?? NOTHING, this.#inlet.takeAll()]);
  }

  override _read(): void {
    this.#inlet.read();
    // What lies in the queue of Node is about to be read.
    if (this.#inlet.waiting < HIGH_WATER_BYTES) this.#ws.resume();
  }

  /**
   * What the socket has not sent is not put behind it: it would keep two pieces of each chunk, of one
   * byte, too, and whoever writes here gathers them.
   */
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send(chunk);
    if (this.#ws.bufferedAmount > 0 && this.#ws.readyState === this.#ws.OPEN) this.#onSent = done;
    else done();
  }

  override _final(done: () => void): void {
    this.#send(END_OF_DIRECTION);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // A paused socket would never see that the editor agrees.
    this.#ws.resume();
    if (error === null && this.writableEnded) this.#ws.close(NORMAL_CLOSURE);
    else this.#ws.close(CLOSE_CODES.cutOff, CUT);
    done(error);
  }

  #take(data: RawData, isBinary: boolean): void {
    if (!isBinary) {
      this.#ws.close(UNSUPPORTED_DATA, "only binary messages are carried");
      this.destroy();
      return;
    }
    if (this.#hasEditorEnded || this.destroyed) return;
    const bytes = toBuffer(data);
    this.#hasEditorEnded = bytes.length === 0;
    if (this.#hasEditorEnded) this.#inlet.end();
    else this.#inlet.add(bytes);
    if (this.#inlet.unread >= HIGH_WATER_BYTES) this.#ws.pause();
  }

  #send(bytes: Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(bytes, { binary: true }, () => {
      const done = this.#onSent;
      this.#onSent = undefined;
      done?.();
    });
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
