import type { WebSocket } from "ws";
import { PIECE_COST_BYTES } from "../gathered.ts";
import { keptByReceiver, rawSocket } from "./websocket.ts";

/** What may be kept for nothing of one message: what a socket may have anyway. */
const SLACK_BYTES = 8 << 10;
/** Changes of less are not told. */
const TOLD_BYTES = 16 << 10;

/**
 * Keeps a message small that is not complete. The library keeps every read and every fragment as a
 * piece of its own, and with a fragment of one byte the 64 KiB that it was read in: a message of a
 * kilobyte could cost hundreds of megabytes. Here, what is kept is put together whenever it costs more
 * than twice its bytes. `onKept` is told what it costs now, in steps; 0: nothing is kept.
 */
export class Unfinished {
  readonly #ws: WebSocket;
  readonly #onKept: (bytes: number) => void;
  /** Read since it was last looked at closely: never less than what is kept of it. */
  #memoryBytes = 0;
  #told = 0;
  #lastMemory: ArrayBufferLike | undefined;

  private constructor(ws: WebSocket, onKept: (bytes: number) => void) {
    this.#ws = ws;
    this.#onKept = onKept;
  }

  /** Watches a WebSocket that is open, until it ends. */
  static watch(ws: WebSocket, onKept: (bytes: number) => void): void {
    const unfinished = new Unfinished(ws, onKept);
    // Behind the library, which has taken the bytes by then.
    rawSocket(ws).on("data", (chunk: Buffer) => unfinished.#came(chunk));
  }

  #came(chunk: Buffer): void {
    const kept = keptByReceiver(this.#ws);
    if (kept.isNothing) {
      this.#forget(0);
      this.#tell(0);
      return;
    }
    if (chunk.buffer !== this.#lastMemory) this.#memoryBytes += chunk.buffer.byteLength;
    this.#lastMemory = chunk.buffer;
    const objects = kept.pieces * PIECE_COST_BYTES;
    // Of what was read at once, the rest comes at once, too.
    const isWhole = chunk.byteOffset + chunk.length >= chunk.buffer.byteLength;
    const forNothing = objects + (isWhole ? this.#memoryBytes : 0) - 2 * kept.bytes;
    if (forNothing > SLACK_BYTES) {
      kept.join();
      this.#forget(kept.memoryBytes);
    }
    this.#tell(this.#memoryBytes + kept.pieces * PIECE_COST_BYTES);
  }

  /** From now on so much memory is counted, and whatever comes. */
  #forget(memoryBytes: number): void {
    this.#memoryBytes = memoryBytes;
    this.#lastMemory = undefined;
  }

  #tell(cost: number): void {
    const isSmallChange = cost > 0 && Math.abs(cost - this.#told) < TOLD_BYTES;
    if (cost === this.#told || isSmallChange) return;
    this.#told = cost;
    this.#onKept(cost);
  }
}
