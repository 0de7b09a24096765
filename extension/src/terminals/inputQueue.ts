import { FRAME_DATA_BYTES, type Frame } from "@rport/protocol/terminal/frame";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { ByteQueue } from "./byteQueue.ts";

/** Input that waits here for the host; more than the longest paste that anybody means. */
export const INPUT_MAX_BYTES = 16 << 20;

/** Ctrl+C. */
const INTERRUPT = Buffer.from([3]);

/** A frame with input. */
export type InputFrame = Extract<Frame, { readonly kind: "input" | "urgent" | "output" }>;

/**
 * Input of one terminal that its host has not confirmed, numbered from its first byte on. A window of it
 * is on its way at most; what the host has not got is sent again after a cut, from where the host says.
 */
export class InputQueue {
  /** What the host has not confirmed, in order. */
  readonly #bytes = new ByteQueue();
  /** The offset of the first of these bytes. */
  #taken = 0;
  /** The offset of the first byte that was not sent. */
  #sent = 0;
  /** Where the last Ctrl+C stands that went ahead of what waited. */
  #urgentAt: number | undefined;

  /** Bytes that the host has not confirmed. */
  get waiting(): number {
    return this.#bytes.length;
  }

  /** Puts input at the end; false: there is too much, and nothing of it is kept. */
  add(bytes: Buffer): boolean {
    if (this.waiting + bytes.length > INPUT_MAX_BYTES) return false;
    this.#bytes.add(bytes);
    return true;
  }

  /** Puts Ctrl+C in the place of all that was not sent. The host throws away what it was sent before and no program has read. */
  interrupt(): void {
    this.#bytes.keep(this.#sent - this.#taken);
    this.#bytes.add(INTERRUPT);
    this.#urgentAt = this.#sent;
  }

  /** The host has all before this offset. One that it cannot have means nothing. */
  confirm(offset: number): void {
    if (offset <= this.#taken || offset > this.#sent) return;
    this.#bytes.drop(offset - this.#taken);
    this.#taken = offset;
  }

  /** There is a new way to the host, which has all before this offset: the rest is to be sent. */
  resume(offset: number): void {
    const isKnown = offset >= this.#taken && offset <= this.#sent;
    // another viewer has typed meanwhile, in the place of what was on its way here
    this.#bytes.drop(isKnown ? offset - this.#taken : this.#sent - this.#taken);
    if (!isKnown) this.#urgentAt = undefined;
    this.#taken = offset;
    this.#sent = offset;
  }

  /** The next frame that the window has room for. Ctrl+C ahead of what waits needs no room. */
  next(): InputFrame | undefined {
    const underWay = this.#sent - this.#taken;
    if (underWay >= this.waiting) return undefined;
    const urgentAt = this.#urgentAt ?? 0;
    if (urgentAt === this.#sent && this.#urgentAt !== undefined) return this.#send("urgent", 1);
    const room = Math.min(TERMINAL.inputWindowBytes - underWay, FRAME_DATA_BYTES);
    const upTo = urgentAt > this.#sent ? urgentAt - this.#sent : room;
    return room <= 0 ? undefined : this.#send("input", Math.min(room, upTo));
  }

  #send(kind: "input" | "urgent", length: number): InputFrame {
    const bytes = this.#bytes.read(this.#sent - this.#taken, length);
    const frame = { kind, offset: this.#sent, bytes } as const;
    this.#sent += bytes.length;
    return frame;
  }
}
