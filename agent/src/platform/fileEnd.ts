import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** The end of a plain file, at most so many bytes; empty for whatever else has the name. */
export async function readEnd(path: string, maxBytes: number): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile()) return "";
  const length = Math.min(stats.size, maxBytes);
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, stats.size - length);
  return buffer.toString("utf8", 0, bytesRead);
}
