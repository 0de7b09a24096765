import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

/** One piece of what is unpacked, in bytes. */
const PIECE_BYTES = 65_536;

/**
 * The content of a file that is packed with gzip, unpacked as it is taken. Fails when that is not
 * `size` bytes long.
 */
export async function* unpackedPieces(
  packed: AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<Buffer> {
  const unpacking = createGunzip({ chunkSize: PIECE_BYTES });
  const fed = pipeline(Readable.from(packed), unpacking);
  // What went wrong is thrown where the pieces are taken.
  fed.catch(() => undefined);
  let left = size;
  for await (const piece of unpacking) {
    left -= piece.length;
    if (left < 0) break;
    yield piece;
  }
  if (left !== 0) throw new Error(`what was unpacked is not ${size} bytes long`);
}
