import { lstatSync } from "node:fs";
import { basename, dirname, sep } from "node:path";
import type { Writable } from "node:stream";
import { openLogStream } from "@rport/protocol/logStream";
import { createStream } from "rotating-file-stream";

/** A log file of this size becomes `<name>.1`, and a new one begins. */
const FILE_MAX = "10M";
/** Files kept beside the one that is written, the newest as `.1`. */
const OLD_FILES = 5;
const MODE = 0o600;

/**
 * Appends to a file that only its owner reads; it and its predecessors stay within 60 MB. Devices,
 * pipes and links are written to as they are. A file that cannot be opened is an error of the
 * stream; for a pipe that nobody reads this throws.
 */
export function openLogFile(path: string): Writable {
  if (isSpecial(path)) return openLogStream(path);
  const folder = `${dirname(path)}${sep}`;
  const name = basename(path);
  return createStream(name, { path: folder, size: FILE_MAX, rotate: OLD_FILES, mode: MODE });
}

/** Whether something is there that cannot be given another name without harm. */
function isSpecial(path: string): boolean {
  try {
    return !lstatSync(path).isFile();
  } catch {
    return false;
  }
}
