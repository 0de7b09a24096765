import { type CastCode, castEvent, castSize } from "@rport/protocol/terminal/asciicast";
import type { TerminalSize } from "@rport/protocol/terminal/terminal";
import { Utf8Pieces } from "./utf8Pieces.ts";

/** Events of one block: about as much is sealed and written at once. */
const BATCH_CHARACTERS = 256 << 10;

/** Events that are written together. */
export interface CastBatch {
  readonly text: string;
  /** So many bytes of output are in this batch and those before it. */
  readonly outputTo: number;
}

/** Output of one moment is one event, up to this length: a host may say each byte in a frame of its own. */
const JOINED_MS = 1;
const JOINED_CHARACTERS = 32 << 10;

interface Queued {
  readonly atMs: number;
  readonly code: CastCode;
  readonly data: string;
  readonly outputTo: number;
}

/**
 * What a terminal shows, as events of the format asciicast v2 that wait to be written. Output is known by its
 * offset: what was heard before is not taken again, and where some is missing an event says so.
 */
export class CastQueue {
  readonly #elapsedMs: () => number;
  readonly #text = new Utf8Pieces();
  #queued: Queued[] = [];
  #heardTo: number;

  /** `elapsedMs`: the time of what happens now; `heardTo`: output before it was recorded elsewhere. */
  constructor(elapsedMs: () => number, heardTo: number) {
    this.#elapsedMs = elapsedMs;
    this.#heardTo = heardTo;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  /** Output up to here was heard and is whole characters. */
  get outputTo(): number {
    return this.#heardTo - this.#text.waiting;
  }

  /** The terminal's program wrote these bytes, the first of which has this offset. */
  output(offset: number, bytes: Buffer): void {
    const missing = offset - this.#heardTo;
    if (missing > 0) this.#miss(missing);
    const known = this.#heardTo - offset;
    if (known >= bytes.length) return;
    const fresh = bytes.subarray(known);
    this.#heardTo += fresh.length;
    const text = this.#text.read(fresh);
    if (text !== "") this.#show(text);
  }

  /** It has another size. Of several that come together, the last one counts. */
  resize(size: TerminalSize): void {
    if (this.#queued.at(-1)?.code === "r") this.#queued.pop();
    this.#add("r", castSize(size));
  }

  /** Something that whoever plays it has to know. */
  mark(text: string): void {
    this.#add("m", text);
  }

  /** There is no more output: what waits of a character is shown as what it is. */
  end(): void {
    const rest = this.#text.end();
    if (rest !== "") this.#add("o", rest);
  }

  /** The next batch, which waits no more; undefined: there is none. */
  take(): CastBatch | undefined {
    let text = "";
    let count = 0;
    let outputTo = 0;
    for (const { atMs, code, data, outputTo: to } of this.#queued) {
      const line = `${castEvent(atMs, code, data)}\n`;
      if (count > 0 && text.length + line.length > BATCH_CHARACTERS) break;
      text += line;
      outputTo = to;
      count += 1;
    }
    if (count === 0) return undefined;
    this.#queued = this.#queued.slice(count);
    return { text, outputTo };
  }

  #miss(count: number): void {
    this.end();
    this.#heardTo += count;
    this.mark(`${count} bytes of output are missing: the host did not keep them.`);
  }

  #show(text: string): void {
    const last = this.#queued.at(-1);
    const isJoined =
      last?.code === "o" &&
      this.#elapsedMs() - last.atMs < JOINED_MS &&
      last.data.length + text.length <= JOINED_CHARACTERS;
    if (!isJoined) this.#add("o", text);
    else this.#queued.splice(-1, 1, { ...last, data: last.data + text, outputTo: this.outputTo });
  }

  #add(code: CastCode, data: string): void {
    this.#queued.push({ atMs: this.#elapsedMs(), code, data, outputTo: this.outputTo });
  }
}
