const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const NOTHING = Buffer.alloc(0);
/** Bytes of the longest character. */
const LONGEST = 4;

/**
 * Text out of bytes of UTF-8 that come in pieces of any length. A character whose bytes are not all there
 * waits for the rest, so none is split; bytes that are none become U+FFFD, the same wherever the pieces
 * end ("maximal subpart" of the WHATWG Encoding Standard).
 */
export class Utf8Pieces {
  #waiting: Buffer = NOTHING;

  /** Bytes that are in no text yet: at most three. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The text that is complete with this piece. */
  read(piece: Buffer): string {
    const all = this.#waiting.length === 0 ? piece : Buffer.concat([this.#waiting, piece]);
    const end = all.length - unfinishedBytes(all);
    // A copy is kept: the piece belongs to who gave it.
    this.#waiting = end === all.length ? NOTHING : Buffer.from(all.subarray(end));
    return DECODER.decode(all.subarray(0, end));
  }

  /** Nothing more comes, or what comes is not the rest: what waited is no text. */
  end(): string {
    const rest = DECODER.decode(this.#waiting);
    this.#waiting = NOTHING;
    return rest;
  }
}

/** How many bytes at the end are the begin of a character whose others may come. */
function unfinishedBytes(bytes: Buffer): number {
  for (let count = 1; count < LONGEST && count <= bytes.length; count += 1) {
    const first = bytes.readUInt8(bytes.length - count);
    if (first >= 0x80 && first < 0xc0) continue;
    const second = count > 1 ? bytes.readUInt8(bytes.length - count + 1) : undefined;
    return count < lengthOf(first) && fits(first, second) ? count : 0;
  }
  return 0;
}

/** The length of a character that begins so; 1: none of several bytes does. */
function lengthOf(first: number): number {
  if (first >= 0xf0 && first <= 0xf4) return 4;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xc2 && first < 0xe0 ? 2 : 1;
}

/** Whether a character may begin with these two (table 3-7 of the Unicode Standard). */
function fits(first: number, second: number | undefined): boolean {
  if (second === undefined) return true;
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second < 0xa0;
  if (first === 0xf0) return second >= 0x90;
  return first !== 0xf4 || second < 0x90;
}
