import { constants, createWriteStream, openSync, statSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";

/** Only the owner of a log reads it. */
const MODE = 0o600;

/**
 * Appends to a file, which is made for its owner alone, or writes to what else has that name. A pipe
 * is opened without waiting for somebody who reads it, and written to without waiting for him: a
 * process with such a wait under way could not be ended any more. Throws when nobody reads the pipe;
 * a file that cannot be opened is an error of the stream.
 */
export function openLogStream(path: string): Writable {
  if (!isPipe(path)) return createWriteStream(path, { flags: "a", mode: MODE });
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: false, writable: true });
}

function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false;
  }
}
