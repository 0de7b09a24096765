import { closeSync, constants, openSync, readSync } from "node:fs";

/** A terminal holds less; a line that ends a file is a reading of nothing, and counts, too. */
const READINGS = 1 << 16;
const SCRATCH_BYTES = 4 << 10;

/**
 * Throws away what was given to a terminal and its programs have not read, but for a line without its
 * end, which the key for a signal drops. Whether that worked.
 */
export function throwAwayUnread(device: string): boolean {
  const { O_RDONLY, O_NOCTTY, O_NONBLOCK } = constants;
  try {
    // It is opened for that alone: as long as somebody has it open, its end cannot be seen.
    const descriptor = openSync(device, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    try {
      return isEmptied(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

function isEmptied(descriptor: number): boolean {
  const scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  try {
    for (let reading = 0; reading < READINGS; reading += 1) readSync(descriptor, scratch);
  } catch (error) {
    // The system says so only when nothing is on its way to the terminal either.
    return error instanceof Error && "code" in error && error.code === "EAGAIN";
  }
  return false;
}
