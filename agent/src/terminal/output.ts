import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { Gathered } from "@rport/protocol/wire/gathered";

/** What of a program that cannot be stopped waits for the viewer. */
const WAITING_BYTES = 4 << 20;

/**
 * The output of one terminal. Each byte that a viewer may get has a number; the last 256 KiB of
 * them are kept, and never more are unconfirmed. What comes meanwhile waits without numbers, and of
 * that the oldest is left out, visibly, where a program goes on all the same.
 */
export class Output {
  readonly #kept = Buffer.allocUnsafeSlow(TERMINAL.keptBytes);
  readonly #waiting = new Gathered();
  /** Number of the byte behind the last one that has a number. */
  #end = 0;
  #confirmed = 0;
  #skipped = 0;
  /** The rest of a block of what waits: it goes first. */
  #rest: Buffer | undefined;

  /** Number of the byte behind the last one. */
  get end(): number {
    return this.#end;
  }

  /** Number of the first byte that is kept. */
  get start(): number {
    return Math.max(0, this.#end - TERMINAL.keptBytes);
  }

  /** Bytes that wait for the viewer to confirm others. */
  get waiting(): number {
    return this.#waiting.bytes + (this.#rest?.length ?? 0);
  }

  /** Whether the program should not write on. */
  get isFull(): boolean {
    return this.waiting > 0 || this.#room === 0;
  }

  /** Whether there is so much room that it may, after it was told not to. */
  get isRoomy(): boolean {
    return this.waiting === 0 && this.#room >= TERMINAL.outputWindowBytes / 2;
  }

  /** Adds what the program wrote; copies it. */
  add(bytes: Buffer): void {
    const direct = this.waiting === 0 ? this.#number(bytes) : 0;
    const rest = bytes.subarray(direct);
    if (rest.length === 0) return;
    this.#waiting.add(Buffer.from(rest));
    this.#leaveOut();
  }

  /** The viewer has all before this byte; a number it cannot know counts as the nearest it can. */
  confirm(offset: number): void {
    const known = Math.min(offset, this.#end);
    if (known <= this.#confirmed) return;
    this.#confirmed = known;
    this.#advance();
  }

  /** A viewer begins at this byte, or as near to it as there is something; the answer is where. */
  begin(from: number | undefined): number {
    const begun = Math.min(Math.max(from ?? 0, this.start), this.#end);
    this.#confirmed = begun;
    this.#advance();
    return begun;
  }

  /**
   * Bytes from a number on, which is kept; as many as there are, up to `max`. They are these until more
   * is added: whoever keeps them copies.
   */
  read(from: number, max: number): Buffer {
    const length = Math.min(max, this.#end - from);
    const at = from % this.#kept.length;
    const first = this.#kept.subarray(at, at + length);
    if (first.length === length) return first;
    return Buffer.concat([first, this.#kept.subarray(0, length - first.length)], length);
  }

  /** Nobody will have more of it. */
  forgetWaiting(): void {
    this.#waiting.takeAll();
    this.#rest = undefined;
    this.#skipped = 0;
  }

  get #room(): number {
    return TERMINAL.outputWindowBytes - (this.#end - this.#confirmed);
  }

  /** Numbers as many as there is room for; the answer is how many. */
  #number(bytes: Buffer): number {
    const taken = bytes.subarray(0, this.#room);
    const at = this.#end % this.#kept.length;
    const first = taken.copy(this.#kept, at);
    taken.copy(this.#kept, 0, first);
    this.#end += taken.length;
    return taken.length;
  }

  #advance(): void {
    while (this.#room > 0 && this.waiting > 0) {
      const block = this.#rest ?? this.#next();
      const left = block.subarray(this.#number(block));
      this.#rest = left.length > 0 ? left : undefined;
    }
  }

  /** What waits next; behind what was left out, that it was. */
  #next(): Buffer {
    const block = this.#waiting.take() ?? Buffer.alloc(0);
    if (this.#skipped === 0) return block;
    const marker = Buffer.from(`\r\n[... ${this.#skipped} bytes skipped ...]\r\n`);
    this.#skipped = 0;
    return Buffer.concat([marker, block]);
  }

  #leaveOut(): void {
    while (this.#waiting.bytes > WAITING_BYTES) this.#skipped += this.#waiting.take()?.length ?? 0;
  }
}
