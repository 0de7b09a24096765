import { closeSync, constants, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** A terminal holds less. */
const READINGS = 1 << 16;
/** So many are done in one turn of the event loop: everybody else who talks to this host waits meanwhile. */
const TURN_READINGS = 128;
/**
 * So many that bring nothing, one behind the other, are no lines that end a file: a terminal whose programs
 * do not wait for input (VMIN and VTIME are 0) says no more when it is empty, however often it is read.
 */
const NOTHINGS = 8;
const SCRATCH_BYTES = 4 << 10;

/**
 * Throws away what was given to a terminal and its programs have not read, but for a line without its
 * end, which the key for a signal drops. Whether that worked, as far as the terminal tells; never rejects.
 */
export async function throwAwayUnread(device: string): Promise<boolean> {
  const { O_RDONLY, O_NOCTTY, O_NONBLOCK } = constants;
  try {
    // It is opened for that alone: as long as somebody has it open, its end cannot be seen.
    const descriptor = openSync(device, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    try {
      return await isEmptied(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

async function isEmptied(descriptor: number): Promise<boolean> {
  const scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  let nothings = 0;
  try {
    for (let reading = 1; reading <= READINGS && nothings < NOTHINGS; reading += 1) {
      nothings = readSync(descriptor, scratch) === 0 ? nothings + 1 : 0;
      if (reading % TURN_READINGS === 0) await setImmediate();
    }
  } catch (error) {
    // The system says so only when nothing is on its way to the terminal either.
    return error instanceof Error && "code" in error && error.code === "EAGAIN";
  }
  return false;
}
