import { createWriteStream, lstatSync } from "node:fs";
import { basename, dirname, sep } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { createStream } from "rotating-file-stream";
import { type Sink, stderrSink } from "./log.ts";

/** A log file of this size becomes `<name>.1`, and a new one begins. */
const FILE_MAX = "10M";
/** Files kept beside the one that is written, the newest as `.1`. */
const OLD_FILES = 5;
const MODE = 0o600;

/**
 * A file that only its owner reads; it and its predecessors stay within 60 MB. Devices, pipes and
 * links are written to as they are. Standard error takes over when writing fails.
 */
export class LogFile {
  readonly #stream: Writable;
  #hasFailed = false;

  /** Opens the file, or begins a new one where none is. */
  constructor(path: string) {
    this.#stream = openStream(path);
    this.#stream.on("error", () => {
      this.#hasFailed = true;
    });
  }

  /** Appends lines to the file. */
  readonly sink: Sink = (line) => {
    if (this.#hasFailed) stderrSink(line);
    else this.#stream.write(`${line}\n`);
  };

  /** Resolves when all lines are with the operating system, or on standard error. */
  async close(): Promise<void> {
    if (this.#hasFailed) return;
    this.#stream.end();
    await finished(this.#stream).catch(() => undefined);
  }
}

function openStream(path: string): Writable {
  if (isSpecial(path)) return createWriteStream(path, { flags: "a", mode: MODE });
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
