/** What a piece of memory costs beside its bytes: the objects around them. */
export const PIECE_COST_BYTES = 400;
/** Blocks grow from here, and to there. */
const FIRST_BLOCK_BYTES = 512;
const BLOCK_BYTES = 64 << 10;
/** A piece of this size is kept as it is, where most of the memory below it is its own. */
const LARGE_BYTES = 16 << 10;
const LARGE_PART = 4 / 3;

/**
 * Bytes that wait, in few blocks, however many pieces they came in: a piece is a few hundred bytes of
 * objects, and often the only one that still needs the large block of memory it was cut from.
 */
export class Gathered {
  #blocks: Buffer[] = [];
  /** The last block, which may not be full. */
  #open: Buffer | undefined;
  #openBytes = 0;
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** In how many blocks of memory. */
  get blocks(): number {
    return this.#blocks.length + (this.#open === undefined ? 0 : 1);
  }

  /** Adds bytes behind the others; the piece itself is kept only where it is large. */
  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (isLarge(piece)) {
      this.#shut();
      this.#blocks.push(piece);
      return;
    }
    for (let at = 0; at < piece.length; ) {
      const open = this.#roomFor(piece.length - at);
      const copied = piece.copy(open, this.#openBytes, at);
      this.#openBytes += copied;
      at += copied;
      if (this.#openBytes === BLOCK_BYTES) this.#shut();
    }
  }

  /** Takes the first block; undefined: nothing waits. */
  take(): Buffer | undefined {
    if (this.#blocks.length === 0) this.#shut();
    const block = this.#blocks.shift();
    this.#bytes -= block?.length ?? 0;
    return block;
  }

  /** Takes all, as one. */
  takeAll(): Buffer {
    this.#shut();
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#bytes = 0;
    const [first] = blocks;
    return blocks.length === 1 && first !== undefined ? first : Buffer.concat(blocks);
  }

  /** The last block, with room for some of so many bytes. */
  #roomFor(bytes: number): Buffer {
    const used = this.#openBytes;
    const old = this.#open;
    if (old !== undefined && used < old.length) return old;
    const wanted = Math.max(FIRST_BLOCK_BYTES, 2 * used, used + bytes);
    const open = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, wanted));
    old?.copy(open, 0, 0, used);
    this.#open = open;
    return open;
  }

  #shut(): void {
    if (this.#open !== undefined) this.#blocks.push(this.#open.subarray(0, this.#openBytes));
    this.#open = undefined;
    this.#openBytes = 0;
  }
}

/** The same bytes in few pieces: small ones are put together in memory of their own. */
export function joined(pieces: readonly Buffer[]): Buffer[] {
  const blocks: Buffer[] = [];
  let small: Buffer[] = [];
  let smallBytes = 0;
  const endBlock = (): void => {
    if (small.length > 0) blocks.push(copied(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const piece of pieces) {
    const large = isLarge(piece);
    if (large) endBlock();
    if (large) blocks.push(piece);
    else small.push(piece);
    if (!large) smallBytes += piece.length;
    if (smallBytes >= BLOCK_BYTES) endBlock();
  }
  endBlock();
  return blocks;
}

/** The memory that pieces keep: all of what they were cut from. */
export function memoryOf(pieces: readonly Buffer[]): number {
  const memories = new Set(pieces.map(({ buffer }) => buffer));
  let bytes = 0;
  for (const { byteLength } of memories) bytes += byteLength;
  return bytes;
}

/** A copy in memory of its own: Node's pool would keep 8 KiB for a few bytes. */
function copied(pieces: readonly Buffer[], bytes: number): Buffer {
  const block = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const piece of pieces) at += piece.copy(block, at);
  return block;
}

function isLarge({ length, buffer }: Buffer): boolean {
  return length >= LARGE_BYTES && LARGE_PART * length >= buffer.byteLength;
}
