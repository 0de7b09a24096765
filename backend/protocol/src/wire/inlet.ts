import type { Readable } from "node:stream";
import { Gathered } from "./gathered.ts";

/** The `readableHighWaterMark` of a stream with an inlet: one piece lies in its own queue at the most. */
export const INLET_HIGH_WATER_BYTES = 1;

/**
 * What comes for the readers of a stream. While they read it goes straight on; while they do not, it
 * is gathered in few blocks. The queue that Node has itself would keep every piece, of one byte, too.
 */
export class Inlet {
  readonly #stream: Pick<Readable, "push" | "readableLength">;
  readonly #waiting = new Gathered();
  #isWanted = false;
  #hasEnded = false;

  /** The stream has `INLET_HIGH_WATER_BYTES`, and calls `read` as its `_read`. */
  constructor(stream: Pick<Readable, "push" | "readableLength">) {
    this.#stream = stream;
  }

  /** Bytes that are gathered: the readers have not come to them. */
  get waiting(): number {
    return this.#waiting.bytes;
  }

  /** Bytes that came and were not read. */
  get unread(): number {
    return this.#waiting.bytes + this.#stream.readableLength;
  }

  /** Something came. */
  add(bytes: Buffer): void {
    if (this.#isWanted && this.#waiting.bytes === 0) this.#isWanted = this.#stream.push(bytes);
    else this.#waiting.add(bytes);
  }

  /** Nothing more will come. */
  end(): void {
    this.#hasEnded = true;
    if (this.#waiting.bytes === 0) this.#stream.push(null);
  }

  /** Takes all that is gathered; the readers will not come to it. */
  takeAll(): Buffer {
    return this.#waiting.takeAll();
  }

  /** The readers want what there is. */
  read(): void {
    this.#isWanted = true;
    const block = this.#waiting.take();
    if (block === undefined) return;
    this.#isWanted = this.#stream.push(block);
    if (this.#hasEnded && this.#waiting.bytes === 0) this.#stream.push(null);
  }
}
