/** A block grows to this size; all but the last one have it. */
const BLOCK_BYTES = 64 << 10;
const FIRST_BLOCK_BYTES = 512;

/**
 * Bytes in order, in few blocks, however many pieces they came in: adding some, and dropping them at either end, costs
 * what they are, and not what waits.
 */
export class ByteQueue {
  #blocks: Buffer[] = [];
  /** Where the first byte stands in the first block. */
  #begin = 0;
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** Puts a copy of these behind the others. */
  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const end = (this.#begin + this.#length) % BLOCK_BYTES;
      const block = this.#blockWith(end, bytes.length - at);
      const copied = bytes.copy(block, end, at);
      this.#length += copied;
      at += copied;
    }
  }

  /** Some of the bytes behind the first `at`, `most` at the most; none where there are none. */
  read(at: number, most: number): Buffer {
    const from = this.#begin + at;
    const block = this.#blocks[Math.floor(from / BLOCK_BYTES)];
    const begin = from % BLOCK_BYTES;
    const length = Math.max(0, Math.min(most, this.#length - at));
    return block?.subarray(begin, begin + length) ?? Buffer.alloc(0);
  }

  /** Takes so many away from the front. */
  drop(bytes: number): void {
    const begin = this.#begin + Math.min(bytes, this.#length);
    this.#length = Math.max(0, this.#length - bytes);
    this.#blocks.splice(
      0,
      this.#length === 0 ? this.#blocks.length : Math.floor(begin / BLOCK_BYTES),
    );
    this.#begin = this.#length === 0 ? 0 : begin % BLOCK_BYTES;
  }

  /** Leaves so many at the front. */
  keep(bytes: number): void {
    this.#length = Math.min(bytes, this.#length);
    this.#blocks.splice(Math.ceil((this.#begin + this.#length) / BLOCK_BYTES));
  }

  /** The block in which the byte behind all others stands, with room for some of so many from `end` on. */
  #blockWith(end: number, bytes: number): Buffer {
    const last = this.#blocks.at(-1);
    const isOpen =
      last !== undefined && this.#begin + this.#length < this.#blocks.length * BLOCK_BYTES;
    if (isOpen && end < last.length) return last;
    const wanted = Math.max(FIRST_BLOCK_BYTES, 2 * end, end + bytes);
    const block = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, wanted));
    if (isOpen) last.copy(block, 0, 0, end);
    if (isOpen) this.#blocks.pop();
    this.#blocks.push(block);
    return block;
  }
}
