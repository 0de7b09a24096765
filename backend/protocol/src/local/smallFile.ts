import { closeSync, constants, openSync, readSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** What most files fit into; a larger one has the buffer doubled. */
const FIRST_BYTES = 16 << 10;
/** Whole pages are asked for: some files of the system's refuse to give a part of their units. */
const PAGE_BYTES = 4_096;

/** How a small file is opened. */
export interface SmallFileOptions {
  /** Rejects where a link has the name. */
  readonly followsNoLink?: boolean;
}

/**
 * The text of a plain file of at most `maxBytes`. Rejects for whatever else has the name: a pipe
 * or a device, which another account may have put there, could be read for ever. So could some plain files
 * of the system's own that have a size of 0, so what is read is counted.
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
  options: SmallFileOptions = {},
): Promise<string> {
  return (await readSmallBytes(path, maxBytes, options)).bytes.toString("utf8");
}

/** The same as bytes, with what the system says of that very file, such as whose it is. */
export async function readSmallBytes(
  path: string,
  maxBytes: number,
  { followsNoLink = false }: SmallFileOptions = {},
): Promise<{ readonly bytes: Buffer; readonly stats: Stats }> {
  const noLink = followsNoLink ? constants.O_NOFOLLOW : 0;
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | noLink);
  const stats = await file.stat();
  if (!stats.isFile()) throw new Error("it is no plain file");
  const bytes = await readAtMost(file, maxBytes);
  if (bytes === undefined) throw new Error(`it is larger than ${maxBytes} bytes`);
  return { bytes, stats };
}

/** What is left of an open file, whatever size it says to have; undefined where that is more than `maxBytes`. */
export async function readAtMost(file: FileHandle, maxBytes: number): Promise<Buffer | undefined> {
  const filling = new Filling(maxBytes);
  for (;;) {
    const { bytesRead } = await file.read(filling.room());
    if (bytesRead === 0) return filling.filled;
    if (!filling.took(bytesRead)) return undefined;
  }
}

/**
 * The bytes of a file that a setting names, for who cannot wait: also of a pipe, which a shell may have put there.
 * Undefined where they are more than `maxBytes`. Throws the error of the system.
 */
export function readNamedSync(path: string, maxBytes: number): Buffer | undefined {
  const descriptor = openSync(path, "r");
  try {
    const filling = new Filling(maxBytes);
    for (;;) {
      const bytesRead = readSync(descriptor, filling.room());
      if (bytesRead === 0) return filling.filled;
      if (!filling.took(bytesRead)) return undefined;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A buffer that grows with what comes, up to the page with one byte more than is allowed: by that it is seen to be too much. */
class Filling {
  readonly #maxBytes: number;
  readonly #fullBytes: number;
  #buffer: Buffer;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#fullBytes = Math.ceil((maxBytes + 1) / PAGE_BYTES) * PAGE_BYTES;
    this.#buffer = Buffer.alloc(Math.min(FIRST_BYTES, this.#fullBytes));
  }

  get filled(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Where the next bytes go; never empty. */
  room(): Buffer {
    if (this.#length === this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer], Math.min(2 * this.#length, this.#fullBytes));
    }
    return this.#buffer.subarray(this.#length);
  }

  /** Counts what came; whether it is allowed. */
  took(bytes: number): boolean {
    this.#length += bytes;
    return this.#length <= this.#maxBytes;
  }
}
