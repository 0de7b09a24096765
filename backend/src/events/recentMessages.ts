import type { Clock, Timer } from "../platform/clock.ts";
import { hasSameTexts, type Message } from "./message.ts";

/** The messages of so many bytes are kept. */
const KEPT_BYTES = 4_194_304;
/** A short one, and each of its texts, keeps a block of memory of others from being freed. */
const MESSAGE_COST_BYTES = 8_192;
/** Whoever is told the same much later than others has it encoded once more. */
const KEPT_MS = 2_000;

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
  readonly #clock: Pick<Clock, "after">;
  #bytes = 0;
  #aging: Timer | undefined;
  /** Most are sent to one watcher after the other. */
  #last: Made | undefined;

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  /** The bytes of a message; nobody may change them. */
  bytesOf(message: Message): Buffer {
    if (this.#last?.message !== message) this.#last = this.#find(message);
    return this.#last.bytes;
  }

  /** Keeps none. */
  clear(): void {
    this.#aging?.cancel();
    this.#aging = undefined;
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
    this.#bytes += costOf(made);
    this.#aging ??= this.#clock.after(KEPT_MS, () => this.clear());
    for (const key of this.#made.keys()) {
      if (this.#bytes <= KEPT_BYTES || key === message.key) break;
      this.#remove(key);
    }
    return made;
  }

  #remove(key: string): void {
    const made = this.#made.get(key);
    if (made === undefined) return;
    this.#bytes -= costOf(made);
    this.#made.delete(key);
  }
}

function costOf({ bytes }: Made): number {
  return bytes.length + MESSAGE_COST_BYTES;
}

function isSame(one: Message, other: Message): boolean {
  return one.key === other.key && hasSameTexts(one.texts, other.texts);
}
