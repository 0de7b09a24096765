import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** The SHA-256 of a file, 64 lower-case hexadecimal digits. Rejects when it cannot be read. */
export async function hashOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** The same of a text that is to become a file. */
export function hashOfText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
