import { WireError } from "./wireError.ts";

/** What a message is made of. */
export type Field = number | boolean | string | Buffer;

/** Longest name of a request or a channel type. */
const NAME_LIMIT_BYTES = 255;
const EMPTY = Buffer.alloc(0);

/** Reads the fields behind the message number, never past the end. */
export class PacketReader {
  readonly #payload: Buffer;
  #at = 1;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  uint32(): number {
    this.#need(4);
    const value = this.#payload.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  boolean(): boolean {
    this.#need(1);
    const value = this.#payload[this.#at] !== 0;
    this.#at += 1;
    return value;
  }

  bytes(limit = Number.POSITIVE_INFINITY): Buffer {
    const length = this.uint32();
    if (length > limit) this.#fail();
    this.#need(length);
    const value = this.#payload.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** A length and exactly that many bytes up to the end. */
  lastBytes(): Buffer {
    const value = this.bytes();
    if (this.#at !== this.#payload.length) this.#fail();
    return value;
  }

  name(): string {
    return this.bytes(NAME_LIMIT_BYTES).toString("latin1");
  }

  rest(): Buffer {
    if (this.#at >= this.#payload.length) return EMPTY;
    return this.#payload.subarray(this.#at);
  }

  #need(bytes: number): void {
    if (this.#payload.length - this.#at < bytes) this.#fail();
  }

  #fail(): never {
    throw new WireError("protocol", `malformed message ${this.#payload[0]}`);
  }
}

/** Numbers as uint32, booleans as a byte, texts with their length, buffers as they are. */
export function pack(type: number, ...fields: Field[]): Buffer {
  const parts = fields.map(packField);
  return Buffer.concat([Buffer.of(type), ...parts]);
}

function packField(field: Field): Buffer {
  if (typeof field === "number") return uint32(field);
  if (typeof field === "boolean") return Buffer.of(field ? 1 : 0);
  if (typeof field !== "string") return field;
  const bytes = Buffer.from(field, "utf8");
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
