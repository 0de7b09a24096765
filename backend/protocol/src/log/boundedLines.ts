import type { Writable } from "node:stream";

/** What lines are bounded by, and who hears of what becomes of them. */
export interface BoundedLinesDeps {
  /** Bytes that wait for a reader; lines beyond them are dropped. */
  readonly maxBytes: number;
  /** Lines are taken again: so many before now were dropped, because nobody took them. */
  readonly onTakenAgain: (dropped: number) => void;
  /** The output has failed. May come again, where an output lives on. */
  readonly onError: (error: Error) => void;
  /** This line was on its way to an output that failed; by default it counts as dropped. */
  readonly onReturned?: ((line: string) => void) | undefined;
}

/**
 * Lines for somebody who may read slowly, not at all, or be gone: whatever becomes of them, nobody
 * waits, memory stays bounded, and nothing is thrown.
 */
export class BoundedLines {
  readonly #out: Writable;
  readonly #deps: BoundedLinesDeps;
  #waitingBytes = 0;
  #dropped = 0;

  constructor(out: Writable, deps: BoundedLinesDeps) {
    this.#out = out;
    this.#deps = deps;
    // Without a listener, an error would end the process.
    out.on("error", (error) => deps.onError(error));
  }

  /** Bytes that nobody has taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Passes a line on, its end included, or drops it. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > this.#deps.maxBytes) {
      this.#dropped += 1;
      return;
    }
    this.#waitingBytes += bytes;
    this.#out.write(line, (error) => {
      this.#waitingBytes -= bytes;
      if (!error) this.#tellDropped();
      else if (this.#deps.onReturned === undefined) this.#dropped += 1;
      else this.#deps.onReturned(line);
    });
  }

  /** Resolves when all that was passed on is with the operating system, or the output has failed. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#out.closed) resolve();
      this.#out.once("close", resolve);
      this.#out.end();
    });
  }

  /** Gives up what still waits, and whoever waits for its end. */
  destroy(): void {
    this.#out.destroy();
  }

  /** Only once half of the room is free: the line that tells of it needs some, too. */
  #tellDropped(): void {
    if (this.#dropped === 0 || this.#waitingBytes > this.#deps.maxBytes / 2) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#deps.onTakenAgain(dropped);
  }
}
