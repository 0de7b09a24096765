import type { Message } from "./message.ts";

/** The messages of so many bytes are kept. */
const KEPT_BYTES = 4_194_304;

interface Made {
  readonly message: Message;
  readonly bytes: Buffer;
}

/**
 * The bytes of the messages that were sent last: watchers who are told the same at about the same
 * time, of whatever audience, get the same bytes.
 */
export class RecentMessages {
  /** Who was asked for last stands last. */
  readonly #made = new Map<string, Made>();
  #bytes = 0;

  /** The bytes of a message; nobody may change them. */
  bytesOf(message: Message): Buffer {
    const known = this.#made.get(message.key);
    const isKnown = known !== undefined && isSame(known.message, message);
    const made = isKnown ? known : { message, bytes: message.encode() };
    this.#remove(message.key);
    this.#made.set(message.key, made);
    this.#bytes += made.bytes.length;
    for (const key of this.#made.keys()) {
      if (this.#bytes <= KEPT_BYTES || key === message.key) break;
      this.#remove(key);
    }
    return made.bytes;
  }

  /** Keeps none. */
  clear(): void {
    this.#made.clear();
    this.#bytes = 0;
  }

  #remove(key: string): void {
    this.#bytes -= this.#made.get(key)?.bytes.length ?? 0;
    this.#made.delete(key);
  }
}

function isSame(one: Message, other: Message): boolean {
  if (one === other) return true;
  if (one.key !== other.key || one.texts.length !== other.texts.length) return false;
  return one.texts.every((text, n) => text === other.texts[n]);
}
