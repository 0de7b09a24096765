import type { KeyObject } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { castEvent } from "@rport/protocol/terminal/asciicast";
import type { RecordingEnd } from "@rport/protocol/terminal/recording";
import type { TerminalSize } from "@rport/protocol/terminal/terminal";
import type { Clock, Timer } from "../platform/clock.ts";
import { codeOf } from "../store/files/durableFile.ts";
import { type CastBatch, CastQueue } from "./castQueue.ts";
import { endContent, metaContent, type RecordingMeta } from "./recordingFacts.ts";
import type { OpenRecording } from "./recordingFile.ts";
import { AROUND_BYTES, type BlockKind, END_CONTENT_BYTES, sealBlock } from "./sealedBlocks.ts";

/** What was written would survive a power cut after this. */
const SETTLE_MS = 1_000;
/** Room that is kept for the last words: a mark, and the end. */
const LAST_BYTES = END_CONTENT_BYTES + 2 * AROUND_BYTES + 512;
const FULL = "The recording has come to its limit (recording_bytes); its terminal was ended.";
const LATE = "This terminal has to be recorded, and its recording has ended.";

/** What a recorder works with. */
export interface RecorderDeps {
  readonly file: OpenRecording;
  /** `newPrefix`, of which `key` was made. */
  readonly prefix: Buffer;
  readonly key: KeyObject;
  readonly meta: RecordingMeta;
  /** Output of the terminal before this offset is in parts before this one. */
  readonly heardTo: number;
  /** The most that the file may have. */
  readonly maxBytes: number;
  /** Makes room for so many bytes more; throws where there is none. */
  readonly requireRoom: (bytes: number) => void;
  /**
   * Called once, when nothing more can be recorded: with the sentence for whoever sits at the terminal. Throws
   * nothing.
   */
  readonly onFailed: (failure: RportError) => void;
  readonly clock: Clock;
}

/**
 * Writes one recording. What was heard is gathered while the disk is busy and written in one block; whoever
 * waits for `written` before passing output on shows nothing that is not recorded, and is as slow as the
 * disk. It holds what was heard since, and one block.
 */
export class Recorder {
  readonly meta: RecordingMeta;
  readonly #deps: RecorderDeps;
  readonly #queue: CastQueue;
  readonly #startMs: number;
  #size: TerminalSize;
  #bytes = 0;
  #number = 0;
  #isAttached = false;
  #hasEvents = false;
  /** Output up to here is in the file, or in parts before it. */
  #writtenTo: number;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isSettlingDue = false;
  #failure: RportError | undefined;
  /** What came after the end is in no recording. */
  #isLate = false;
  #ended: Promise<void> | undefined;

  private constructor(deps: RecorderDeps) {
    this.#deps = deps;
    this.meta = deps.meta;
    this.#size = deps.meta.size;
    this.#writtenTo = deps.heardTo;
    this.#startMs = deps.clock.monotonic();
    this.#queue = new CastQueue(() => this.#elapsedMs, deps.heardTo);
  }

  /** Writes who records what, and resolves when that would survive a power cut. Fails with the system's errors. */
  static async begin(deps: RecorderDeps): Promise<Recorder> {
    const recorder = new Recorder(deps);
    const { file, prefix, meta } = deps;
    await recorder.#write(prefix);
    await recorder.#append("header", metaContent(meta));
    await file.settle();
    return recorder;
  }

  /** Of its file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** So many bytes of the terminal's output are in its file, or in parts before it. */
  get outputTo(): number {
    return this.#writtenTo;
  }

  /** Whether its terminal was ever there. */
  get isAttached(): boolean {
    return this.#isAttached;
  }

  /** Whether its file has nothing that a terminal shows. */
  get isEmpty(): boolean {
    return !this.#hasEvents;
  }

  /** Its host has said that the terminal is there. */
  attached(): void {
    this.#isAttached = true;
  }

  /** The terminal's program wrote this. */
  output(offset: number, bytes: Buffer): void {
    if (this.#isOver) {
      this.#isLate = true;
      return;
    }
    this.#queue.output(offset, bytes);
    this.#begin();
  }

  /** The terminal is as large as this. */
  resize({ cols, rows }: TerminalSize): void {
    const isSame = cols === this.#size.cols && rows === this.#size.rows;
    if (isSame || this.#isOver) return;
    this.#size = { cols, rows };
    this.#queue.resize(this.#size);
    this.#begin();
  }

  /**
   * Resolves when all that was heard is written; rejects when it cannot be, or when some of it came after the
   * end.
   */
  async written(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isLate) throw new RportError("UNAVAILABLE", LATE);
  }

  /** Nothing more is recorded; resolves when that is written, or cannot be. Called again, it waits for the first. */
  end(end: RecordingEnd): Promise<void> {
    this.#ended ??= this.#end(end);
    return this.#ended;
  }

  get #elapsedMs(): number {
    return this.#deps.clock.monotonic() - this.#startMs;
  }

  get #isOver(): boolean {
    return this.#failure !== undefined || this.#ended !== undefined;
  }

  /** Behind a failure stands nothing: it would be a gap, or follow the end. */
  #begin(): void {
    if (this.#failure !== undefined) return;
    this.#writing ??= this.#writeQueue().finally(() => {
      this.#writing = undefined;
      if (!this.#queue.isEmpty) this.#begin();
    });
  }

  async #writeQueue(): Promise<void> {
    // What comes in the same turn is in the same block.
    await Promise.resolve();
    try {
      for (let batch = this.#queue.take(); batch !== undefined; batch = this.#queue.take()) {
        await this.#writeEvents(batch);
      }
      if (this.#isSettlingDue) {
        this.#isSettlingDue = false;
        await this.#deps.file.settle();
      }
    } catch (caught) {
      this.#fail(caught);
    }
  }

  async #writeEvents({ text, outputTo }: CastBatch): Promise<void> {
    const content = Buffer.from(text);
    const more = content.length + AROUND_BYTES;
    if (this.#bytes + more + LAST_BYTES > this.#deps.maxBytes) throw await this.#full();
    await this.#append("events", content, outputTo);
    this.#settleSoon();
  }

  /** Says so in the recording itself, whose last words have their place. */
  async #full(): Promise<RportError> {
    const mark = `${castEvent(this.#elapsedMs, "m", FULL)}\n`;
    await this.#append("events", Buffer.from(mark));
    await this.#last({ how: "full" });
    return new RportError("TOO_LARGE", FULL);
  }

  async #append(kind: BlockKind, content: Buffer, outputTo = this.#writtenTo): Promise<void> {
    const number = this.#number;
    await this.#write(sealBlock({ kind, number, outputTo, content }, this.#deps.key));
    this.#number += 1;
    this.#hasEvents ||= kind === "events";
    this.#writtenTo = outputTo;
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#deps.requireRoom(bytes.length);
    await this.#deps.file.append(bytes);
    this.#bytes += bytes.length;
  }

  async #last(end: RecordingEnd): Promise<void> {
    const content = endContent({
      end,
      endedAtMs: this.#deps.clock.now(),
      offset: this.#bytes,
    });
    await this.#append("end", content);
  }

  #settleSoon(): void {
    this.#timer ??= this.#deps.clock.after(SETTLE_MS, () => {
      this.#timer = undefined;
      this.#isSettlingDue = true;
      this.#begin();
    });
  }

  async #end(end: RecordingEnd): Promise<void> {
    this.#queue.end();
    this.#begin();
    await this.written().catch(() => undefined);
    this.#timer?.cancel();
    if (this.#failure === undefined) {
      await this.#last(end).catch((caught: unknown) => this.#fail(caught));
    }
    await this.#deps.file.settle().catch((caught: unknown) => this.#fail(caught));
  }

  #fail(caught: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = asFailure(caught);
    this.#deps.onFailed(this.#failure);
  }
}

/** Why nothing more can be recorded, as a sentence that fits a close frame. */
export function asFailure(caught: unknown): RportError {
  if (caught instanceof RportError) return caught;
  const isFull = ["ENOSPC", "EDQUOT"].includes(codeOf(caught));
  const why = isFull ? "the server's disk is full" : "the server cannot write it";
  return new RportError(
    isFull ? "DISK_FULL" : "UNAVAILABLE",
    `This terminal has to be recorded, and ${why}.`,
    { cause: caught },
  );
}
