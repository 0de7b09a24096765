import { hasSameTexts, type Message } from "./message.ts";

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
  /** Most are sent to one watcher after the other. */
  #last: Made | undefined;

  /** The bytes of a message; nobody may change them. */
  bytesOf(message: Message): Buffer {
    if (this.#last?.message !== message) this.#last = this.#find(message);
    return this.#last.bytes;
  }

  /** Keeps none. */
  clear(): void {
    this.#made.clear();
    this.#bytes = 0;
    this.#last = undefined;
  }

  #find(message: Message): Made {
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
    return made;
  }

  #remove(key: string): void {
    this.#bytes -= this.#made.get(key)?.bytes.length ?? 0;
    this.#made.delete(key);
  }
}

function isSame(one: Message, other: Message): boolean {
  return one.key === other.key && hasSameTexts(one.texts, other.texts);
}
