import { ENTITIES, ENTITY_NAMES, type Entity } from "@rport/protocol/events";
import { fingerprintOf, type Message } from "./message.ts";
import type { SharedText } from "./sharedText.ts";

/**
 * A message that has this much is sent; the rest comes in the next one. One thing more fits in, and
 * none has more than about 64 KiB, so that no message comes near `EVENT_MESSAGE_MAX_BYTES`.
 */
export const PIECE_BYTES = 262_144;

const COMMA = Buffer.from(",");

/** One message of a snapshot, as PROTOCOL.md has it. */
export class Piece implements Message {
  readonly key: string;
  readonly texts: readonly SharedText[];
  readonly #head: string;
  readonly #tail: string;
  readonly #lists: Lists;

  constructor(head: object, lists: Lists, more: boolean) {
    this.#head = JSON.stringify(head).slice(0, -1);
    this.#tail = `,"more":${more}}`;
    this.#lists = lists;
    this.texts = lists.texts;
    this.key = `${this.#head}${this.#tail}${fingerprintOf(this.texts)}`;
  }

  encode(): Buffer {
    return Buffer.concat([
      Buffer.from(this.#head),
      ...this.#lists.parts(),
      Buffer.from(this.#tail),
    ]);
  }
}

/** The lists of one message. Things come to it in the order of their kinds. */
export class Lists {
  readonly #texts: SharedText[] = [];
  readonly #counts = new Map<Entity, number>();
  #bytes = 0;

  /** Adds one more thing. */
  add(entity: Entity, text: SharedText): void {
    this.#texts.push(text);
    this.#counts.set(entity, (this.#counts.get(entity) ?? 0) + 1);
    this.#bytes += text.bytes.length;
  }

  /** What is in them, in about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All that is in them. */
  get texts(): readonly SharedText[] {
    return this.#texts;
  }

  /** As members of an object, with a comma before the first. */
  parts(): Buffer[] {
    let start = 0;
    return ENTITY_NAMES.flatMap((entity) => {
      const end = start + (this.#counts.get(entity) ?? 0);
      const texts = this.#texts.slice(start, end);
      start = end;
      const name = Buffer.from(`,${JSON.stringify(ENTITIES[entity].list)}:[`);
      const values = texts.flatMap(({ value }, n) => (n === 0 ? [value] : [COMMA, value]));
      return [name, ...values, Buffer.from("]")];
    });
  }
}
