import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** No program of ours has a quarter of it. */
export const PROGRAM_MAX_BYTES = 512 << 20;
const PIECE = { autoClose: false, highWaterMark: 1 << 20 };

/**
 * The SHA-256 of a file, 64 lower-case hexadecimal digits. Rejects when it cannot be read, and for what could be read
 * for ever: a pipe, a device, and a file that goes on behind `maxBytes`.
 */
export async function hashOfFile(
  file: string,
  maxBytes: number = PROGRAM_MAX_BYTES,
): Promise<string> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await handle.stat()).isFile()) throw new Error("it is no plain file");
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of handle.createReadStream(PIECE)) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** The same of a text that is to become a file. */
export function hashOfText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
