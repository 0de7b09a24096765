import { constants, type Stats } from "node:fs";
import { open } from "node:fs/promises";

/** How a small file is opened. */
export interface SmallFileOptions {
  /** Rejects where a link has the name. */
  readonly followsNoLink?: boolean;
}

/**
 * The text of a plain file of at most `maxBytes`. Rejects for whatever else has the name: a pipe
 * or a device, which another account may have put there, could be read for ever.
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
  options: SmallFileOptions = {},
): Promise<string> {
  return (await readOwnedFile(path, maxBytes, options)).text;
}

/** The same with what the system says of that very file, such as whose it is. */
export async function readOwnedFile(
  path: string,
  maxBytes: number,
  { followsNoLink = false }: SmallFileOptions = {},
): Promise<{ readonly text: string; readonly stats: Stats }> {
  const noLink = followsNoLink ? constants.O_NOFOLLOW : 0;
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | noLink);
  const stats = await file.stat();
  if (!stats.isFile()) throw new Error("it is no plain file");
  if (stats.size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
  return { text: await file.readFile("utf8"), stats };
}

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
