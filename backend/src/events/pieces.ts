import { ENTITIES, ENTITY_NAMES, type Entity, type Snapshot } from "@rport/protocol/events";

/**
 * A message that has this much is sent; the rest comes in the next one. One thing more fits in, and
 * none has more than about 64 KiB, so that no message comes near `EVENT_MESSAGE_MAX_BYTES`.
 */
export const PIECE_BYTES = 262_144;

/** One thing as it stands in a message. */
export interface ShownThing {
  readonly entity: Entity;
  /** Its value as JSON. */
  readonly text: string;
}

/** What stands in the first message of a snapshot beside the lists. */
export type SnapshotFacts = Pick<Snapshot, "seq" | "at" | "server">;

/** One message of a snapshot. */
export interface Piece {
  readonly message: Buffer;
  readonly isLast: boolean;
}

/**
 * The messages of a snapshot, each when it is asked for: the first with the facts, all with lists,
 * as PROTOCOL.md has them. Things are taken one by one, as late as possible.
 */
export function* snapshotPieces(
  facts: SnapshotFacts,
  things: Iterable<ShownThing>,
): Generator<Piece> {
  const { seq, at, server } = facts;
  let head: object = { type: "snapshot", seq, at, server };
  let lists = new Lists();
  for (const { entity, text } of things) {
    if (lists.bytes >= PIECE_BYTES) {
      yield { message: encode(head, lists, true), isLast: false };
      head = { type: "piece", seq };
      lists = new Lists();
    }
    lists.add(entity, text);
  }
  yield { message: encode(head, lists, false), isLast: true };
}

/** The lists of one message. */
class Lists {
  bytes = 0;
  readonly #texts = new Map<Entity, string[]>(ENTITY_NAMES.map((entity) => [entity, []]));

  add(entity: Entity, text: string): void {
    this.#texts.get(entity)?.push(text);
    this.bytes += Buffer.byteLength(text);
  }

  /** As members of an object. */
  members(): string {
    const members = [...this.#texts].map(([entity, texts]) => {
      return `${JSON.stringify(ENTITIES[entity].list)}:[${texts.join(",")}]`;
    });
    return members.join(",");
  }
}

function encode(head: object, lists: Lists, more: boolean): Buffer {
  const opened = JSON.stringify(head).slice(0, -1);
  return Buffer.from(`${opened},${lists.members()},"more":${more}}`);
}
