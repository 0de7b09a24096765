import { codeOf } from "../store/files/durableFile.ts";
import { type OpenSegment, type OpenSegmentFile, segmentOf } from "./segments.ts";

/** A segment that has grown to this is followed by a new one. */
const SEGMENT_MAX_BYTES = 16 << 20;

/** Where the writing goes on, and by which files. */
export interface SegmentWriterDeps {
  readonly directory: string;
  readonly openFile: OpenSegmentFile;
  /** The newest segment; 0: there is none. */
  readonly number: number;
  /** Its good bytes; what is behind them is cut off before anything is written. */
  readonly length: number;
  /** `YYYY-MM` of its first entry. */
  readonly month: string | undefined;
  /** Whether that segment must not be touched any more. */
  readonly isFinished: boolean;
  readonly maxBytes?: number | undefined;
}

/** Appends to the newest segment, and begins new ones by size and by month. One call at a time. */
export class SegmentWriter {
  readonly #deps: SegmentWriterDeps;
  #number: number;
  #length: number;
  #month: string | undefined;
  #isFinished: boolean;
  /** Whether there may be more in the file than `#length`. */
  #hasRest = true;
  #file: OpenSegment | undefined;

  constructor(deps: SegmentWriterDeps) {
    this.#deps = deps;
    this.#number = deps.number;
    this.#length = deps.length;
    this.#month = deps.month;
    this.#isFinished = deps.isFinished || deps.number === 0;
  }

  /**
   * Appends whole lines of the month `YYYY-MM`; resolves when they would survive a power cut. When
   * it fails, nothing of them is in the file, or will be after the next call.
   */
  async append(bytes: Buffer, month: string): Promise<void> {
    const file = this.#isDue(month) ? await this.#turn() : await this.#open();
    try {
      if (this.#hasRest) await file.truncate(this.#length);
      this.#hasRest = true;
      await file.write(bytes, this.#length);
      await file.sync();
    } catch (caught) {
      // Freeing space works on a full disk; where it does not, the next call does it.
      await file.truncate(this.#length).catch(() => {});
      throw caught;
    }
    this.#hasRest = false;
    this.#length += bytes.length;
    this.#month ??= month;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  #isDue(month: string): boolean {
    const { maxBytes = SEGMENT_MAX_BYTES } = this.#deps;
    if (this.#isFinished || this.#length >= maxBytes) return true;
    // A clock that was set back must not begin a segment per entry.
    return this.#month !== undefined && month > this.#month;
  }

  async #open(): Promise<OpenSegment> {
    const { directory, openFile } = this.#deps;
    this.#file ??= await openFile(segmentOf(directory, this.#number).path, false);
    return this.#file;
  }

  async #turn(): Promise<OpenSegment> {
    const { directory, openFile } = this.#deps;
    if (this.#hasRest && !this.#isFinished) await (await this.#open()).truncate(this.#length);
    const number = this.#number + 1;
    const file = await openFile(segmentOf(directory, number).path, true).catch((caught) => {
      // Left by an attempt that failed half-way: the next attempt takes the next number.
      if (codeOf(caught) === "EEXIST") this.#number = number;
      throw caught;
    });
    await this.close();
    [this.#file, this.#number, this.#length] = [file, number, 0];
    [this.#month, this.#isFinished] = [undefined, false];
    return file;
  }
}
