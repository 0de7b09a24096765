import type { Duplex } from "node:stream";
import { CLOSE_CODES, RportError } from "@rport/protocol/errors";
import type { RawData, WebSocket } from "ws";

/** Largest message of an editor tunnel, for the WebSocket server that accepts it. */
export const EDITOR_MESSAGE_MAX_BYTES = 1 << 20;

/** Above this many unsent bytes the client's side waits; it goes on below the half. */
const HIGH_WATER_BYTES = 256 << 10;
const LOW_WATER_BYTES = HIGH_WATER_BYTES / 2;
/** A close frame has room for 123 bytes of reason. */
const REASON_MAX_BYTES = 120;
const NORMAL_CLOSURE = 1000;
const UNSUPPORTED_DATA = 1003;
const END_OF_DIRECTION = Buffer.alloc(0);

/**
 * Joins an editor's WebSocket to a stream: binary messages are the bytes, an empty one is the end
 * of its direction, and whoever does not read stops the other side. When `dial` fails, the socket is
 * closed with `CLOSE_CODES.refused` and the reason. Resolves when the socket is closed.
 */
export async function serveEditorTunnel(ws: WebSocket, dial: () => Promise<Duplex>): Promise<void> {
  const closed = new Promise<void>((resolve) => ws.once("close", () => resolve()));
  ws.on("error", () => ws.terminate());
  ws.pause();
  try {
    const stream = await dial();
    if (ws.readyState === ws.OPEN) new EditorTunnel(ws, stream);
    else stream.destroy();
  } catch (error) {
    const { message } = RportError.from(error);
    ws.resume();
    ws.close(CLOSE_CODES.refused, shorten(message));
  }
  await closed;
}

/** One socket and one stream, joined until both are closed. */
class EditorTunnel {
  readonly #ws: WebSocket;
  readonly #stream: Duplex;

  constructor(ws: WebSocket, stream: Duplex) {
    this.#ws = ws;
    this.#stream = stream;
    ws.on("message", (data, isBinary) => this.#fromEditor(data, isBinary));
    ws.once("close", () => stream.destroy());
    stream.on("drain", () => ws.resume());
    stream.on("data", (chunk: Buffer) => this.#toEditor(chunk));
    stream.once("end", () => this.#send(END_OF_DIRECTION));
    stream.on("error", () => {});
    stream.once("close", () => {
      ws.resume();
      ws.close(NORMAL_CLOSURE);
    });
    ws.resume();
  }

  #fromEditor(data: RawData, isBinary: boolean): void {
    const stream = this.#stream;
    if (!isBinary) {
      this.#ws.close(UNSUPPORTED_DATA, "only binary messages are carried");
      stream.destroy();
      return;
    }
    const bytes = toBuffer(data);
    if (!stream.writable) return;
    if (bytes.length === 0) stream.end();
    else if (!stream.write(bytes)) this.#ws.pause();
  }

  #toEditor(chunk: Buffer): void {
    this.#send(chunk);
    if (this.#ws.bufferedAmount > HIGH_WATER_BYTES) this.#stream.pause();
  }

  #send(bytes: Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(bytes, { binary: true }, () => {
      if (this.#ws.bufferedAmount <= LOW_WATER_BYTES) this.#stream.resume();
    });
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** Cuts a text to what a close frame takes, between characters. */
function shorten(text: string): string {
  let short = text;
  while (Buffer.byteLength(short) > REASON_MAX_BYTES) short = short.slice(0, -1);
  return short.isWellFormed() ? short : short.slice(0, -1);
}
