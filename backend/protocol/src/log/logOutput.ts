import type { Writable } from "node:stream";
import { BoundedLines } from "./boundedLines.ts";

/** The time, as far as a log's output needs it. */
export interface LogOutputClock {
  /** Milliseconds that never jump. */
  monotonic(): number;
  after(ms: number, run: () => void): { cancel(): void };
}

/** Where a log goes. */
export interface LogOutputDeps {
  /** Opens the log file; undefined: there is none, and standard error is all there is. */
  readonly openFile: (() => Writable) | undefined;
  readonly stderr: Writable;
  /** Bytes that may wait for one output. */
  readonly maxBytes: number;
  readonly clock: LogOutputClock;
}

/** What a log itself has to say about its output. */
export interface LogOutputEvents {
  /** So many lines before this moment were dropped, because nobody took them. */
  readonly onDropped: (lines: number) => void;
  /** The log file cannot be opened or written; lines go to standard error now. */
  readonly onFileFailed: (error: Error) => void;
}

/** A file that failed is tried again after this, at the next line. */
const RETRY_MS = 30_000;
/** A file that takes no more is given up after this, when it is closed. */
const END_MS = 1_000;

/**
 * The place that a log is written to: a file, or standard error, which also takes over where the
 * file fails. Losing either stops nobody, and costs no more memory than it may.
 */
export class LogOutput {
  readonly #deps: LogOutputDeps;
  readonly #stderr: BoundedLines;
  #events: LogOutputEvents | undefined;
  #file: BoundedLines | undefined;
  /** Lines that came while a file was being closed; undefined: none is. */
  #held: string[] | undefined;
  #heldBytes = 0;
  #heldDropped = 0;
  #retryAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: LogOutputDeps) {
    this.#deps = deps;
    const onTakenAgain = (dropped: number): void => this.#events?.onDropped(dropped);
    const { stderr, maxBytes } = deps;
    // There is nobody left to tell.
    this.#stderr = new BoundedLines(stderr, { maxBytes, onTakenAgain, onError: () => undefined });
  }

  /** Bytes that nobody has taken yet. */
  get waitingBytes(): number {
    return this.#stderr.waitingBytes + this.#heldBytes + (this.#file?.waitingBytes ?? 0);
  }

  /** Opens the file; `events` are told from now on. */
  start(events: LogOutputEvents): void {
    this.#events = events;
    this.#openFile();
  }

  /** Takes one line, without its end. Never throws, and nobody waits. */
  write(line: string): void {
    if (this.#held !== undefined) {
      this.#hold(this.#held, line);
      return;
    }
    if (this.#deps.clock.monotonic() >= this.#retryAtMs) this.#openFile();
    (this.#file ?? this.#stderr).write(`${line}\n`);
  }

  /**
   * Opens the file anew under its name, whose file may have another name by now. What was written
   * before goes to the file that was open.
   */
  async reopen(): Promise<void> {
    if (this.#deps.openFile === undefined || this.#held !== undefined) return;
    const held: string[] = [];
    this.#held = held;
    await this.#endFile();
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#openFile();
    for (const line of held) this.write(line);
    const dropped = this.#heldDropped;
    this.#heldDropped = 0;
    if (dropped > 0) this.#events?.onDropped(dropped);
  }

  /** Resolves when all lines are with the operating system, or lost. Standard error stays open. */
  async close(): Promise<void> {
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    await this.#endFile();
  }

  #hold(held: string[], line: string): void {
    this.#heldBytes += line.length;
    if (this.#heldBytes <= this.#deps.maxBytes) held.push(line);
    else this.#heldDropped += 1;
  }

  async #endFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    const timer = this.#deps.clock.after(END_MS, () => file.destroy());
    await file.end();
    timer.cancel();
  }

  #openFile(): void {
    const { openFile, maxBytes } = this.#deps;
    if (openFile === undefined) return;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    try {
      const file: BoundedLines = new BoundedLines(openFile(), {
        maxBytes,
        onTakenAgain: (dropped) => this.#events?.onDropped(dropped),
        onError: (error) => this.#fail(error, file),
        onReturned: (line) => this.#stderr.write(line),
      });
      this.#file = file;
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)), this.#file);
    }
  }

  #fail(error: Error, failed: BoundedLines | undefined): void {
    if (this.#file !== failed) return;
    this.#file = undefined;
    this.#retryAtMs = this.#deps.clock.monotonic() + RETRY_MS;
    this.#events?.onFileFailed(error);
  }
}
