import type { KeyObject } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { RecordingId } from "@rport/protocol/terminal/recording";
import {
  AROUND_BYTES,
  CONTENT_MAX_BYTES,
  fileKey,
  isPartOfPrefix,
  type OpenedBlock,
  openBlock,
  PREFIX_BYTES,
} from "./sealedBlocks.ts";

/** What one read brings; where that is not a whole block, it is the longest that there are. */
const READ_BYTES = 64 << 10;
const LONGEST_BYTES = CONTENT_MAX_BYTES + AROUND_BYTES;
/** Blocks that are opened in one turn of the event loop; a large one counts as many. */
const TURN_BLOCKS = 64;
const LARGE_BYTES = 4 << 10;

/** Where a block begins, and its number. */
export interface BlockPlace {
  readonly offset: number;
  readonly number: number;
}

/** Reads the blocks of a recording one after the other, and leaves others their turns. */
export class BlockReader {
  readonly #file: FileHandle;
  readonly #key: KeyObject;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  #place: BlockPlace;
  #turn = 0;

  private constructor(file: FileHandle, key: KeyObject, place: BlockPlace) {
    this.#file = file;
    this.#key = key;
    this.#place = place;
  }

  /**
   * From a place on, or from the first block. `incomplete`: the file ends before the first block; `wrong`: it
   * is no recording.
   */
  static async open(
    file: FileHandle,
    { id, auditKey }: { readonly id: RecordingId; readonly auditKey: KeyObject },
    place: BlockPlace = { offset: PREFIX_BYTES, number: 0 },
  ): Promise<BlockReader | "incomplete" | "wrong"> {
    const prefix = await readAt(file, 0, PREFIX_BYTES);
    const key = fileKey(auditKey, prefix, id);
    if (key !== undefined) return new BlockReader(file, key, place);
    return isPartOfPrefix(prefix) ? "incomplete" : "wrong";
  }

  /** Of the next block. */
  get place(): BlockPlace {
    return this.#place;
  }

  /** The next block; `incomplete`: the file ends in it, or before it; `wrong`: something else is there. */
  async next(): Promise<OpenedBlock | "incomplete" | "wrong"> {
    let block = this.#open();
    for (const length of [READ_BYTES, LONGEST_BYTES]) {
      if (block !== "incomplete") break;
      this.#window = await readAt(this.#file, this.#place.offset, length);
      this.#windowAt = this.#place.offset;
      block = this.#open();
    }
    if (typeof block === "string") return block;
    const { offset, number } = this.#place;
    this.#place = { offset: offset + block.length, number: number + 1 };
    await this.#yield(block.length);
    return block;
  }

  /** The end at this offset, which is the last block there is; undefined: none is there. */
  async endAt(offset: number): Promise<OpenedBlock | undefined> {
    const bytes = await readAt(this.#file, offset, READ_BYTES);
    const block = openBlock(bytes, "any", this.#key);
    return typeof block === "string" || block.kind !== "end" ? undefined : block;
  }

  /** Whether the file has something from here on. */
  async hasMore(): Promise<boolean> {
    return (await readAt(this.#file, this.#place.offset, 1)).length > 0;
  }

  #open(): OpenedBlock | "incomplete" | "wrong" {
    const { offset, number } = this.#place;
    const isWithin = offset >= this.#windowAt;
    const rest = isWithin ? this.#window.subarray(offset - this.#windowAt) : Buffer.alloc(0);
    return openBlock(rest, number, this.#key);
  }

  async #yield(bytes: number): Promise<void> {
    this.#turn += 1 + bytes / LARGE_BYTES;
    if (this.#turn < TURN_BLOCKS) return;
    this.#turn = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** As many bytes as are there, at most `length`. */
async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
