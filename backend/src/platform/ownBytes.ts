/**
 * A copy of a few bytes that are kept for long, in memory of its own. Small buffers are otherwise cut
 * from blocks of 64 KiB that are let go only when the last of their pieces is: a thousand deposits, made
 * one by one among other work, held 5.5 MB of them.
 */
export function ownBytes(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}
