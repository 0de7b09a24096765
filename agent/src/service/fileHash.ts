import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/**
 * The SHA-256 of a file, 64 lower-case hexadecimal digits. Rejects when it cannot be read, and for a pipe or a device,
 * which could be read for ever.
 */
export async function hashOfFile(file: string): Promise<string> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await handle.stat()).isFile()) throw new Error("it is no plain file");
  const hash = createHash("sha256");
  await pipeline(handle.createReadStream({ autoClose: false }), hash);
  return hash.digest("hex");
}

/** The same of a text that is to become a file. */
export function hashOfText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
