import type { WebSocket } from "ws";
import { PIECE_COST_BYTES } from "../gathered.ts";
import { type KeptByReceiver, keptByReceiver, rawSocket } from "./websocket.ts";

/** What the objects around the pieces of one message may cost for nothing. */
const OBJECTS_BYTES = 8 << 10;
/** Memory that may be kept for nothing: the last read, of which most frames leave a part for the next. */
const MEMORY_BYTES = 72 << 10;
/** Changes of less are not told, once something is. */
const TOLD_BYTES = 16 << 10;

/**
 * Keeps a message small that is not complete. The library keeps every read and every fragment as a
 * piece of its own, and with a fragment of one byte the 64 KiB that it was read in: a message of a
 * kilobyte could cost hundreds of megabytes. Here, what is kept is put together whenever it costs more
 * than twice its bytes and the last read. `onKept` is told what it costs now, in steps; 0: nothing is kept.
 */
export class Unfinished {
  readonly #kept: KeptByReceiver;
  readonly #onKept: (bytes: number) => void;
  /** Read since it was last looked at closely: never less than what is kept of it. */
  #memoryBytes = 0;
  #told = 0;
  #lastMemory: ArrayBufferLike | undefined;

  private constructor(ws: WebSocket, onKept: (bytes: number) => void) {
    this.#kept = keptByReceiver(ws);
    this.#onKept = onKept;
  }

  /** Watches a WebSocket that is open, until it ends. */
  static watch(ws: WebSocket, onKept: (bytes: number) => void): Unfinished {
    const unfinished = new Unfinished(ws, onKept);
    // Behind the library, which has taken the bytes by then.
    rawSocket(ws).on("data", (chunk: Buffer) => unfinished.#came(chunk));
    return unfinished;
  }

  /** Bytes that have come of it, whatever they cost; 0: at most its head is there. */
  get bytes(): number {
    return this.#kept.bytes;
  }

  #came(chunk: Buffer): void {
    const kept = this.#kept;
    if (kept.isNothing) {
      this.#forget(0);
      this.#tell(0);
      return;
    }
    if (chunk.buffer !== this.#lastMemory) this.#memoryBytes += chunk.buffer.byteLength;
    this.#lastMemory = chunk.buffer;
    if (this.#isDear(kept)) {
      kept.join();
      this.#forget(kept.memoryBytes);
    }
    this.#tell(this.#memoryBytes + kept.pieces * PIECE_COST_BYTES);
  }

  #isDear(kept: KeptByReceiver): boolean {
    const allowed = 2 * kept.bytes;
    if (kept.pieces * PIECE_COST_BYTES > OBJECTS_BYTES + allowed) return true;
    if (this.#memoryBytes <= MEMORY_BYTES + allowed) return false;
    // Some of what was read may be used up by now.
    this.#forget(kept.memoryBytes);
    return this.#memoryBytes > MEMORY_BYTES + allowed;
  }

  /** From now on so much memory is counted, and whatever comes. */
  #forget(memoryBytes: number): void {
    this.#memoryBytes = memoryBytes;
    this.#lastMemory = undefined;
  }

  #tell(cost: number): void {
    const isSmallChange = cost > 0 && this.#told > 0 && Math.abs(cost - this.#told) < TOLD_BYTES;
    if (cost === this.#told || isSmallChange) return;
    this.#told = cost;
    this.#onKept(cost);
  }
}
