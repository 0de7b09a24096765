import type { Change, Entity, EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/serverStatus";
import { SharedText } from "./sharedText.ts";

/** The text of what is gone. */
const GONE = "null";

/** Told of what cannot be encoded. */
export type OnBroken = (
  thing: { readonly entity: string; readonly id: string },
  e: unknown,
) => void;

/** Encodes what watchers are told. */
export class TextMaker {
  readonly #onBroken: OnBroken;
  #count = 0;
  #bytes = 0;

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken;
  }

  /** What has been encoded so far, whoever it was for. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A thing's change to a value; undefined: that cannot be encoded. */
  ofThing(thing: Named, value: EntityValue<Entity>): SharedText | undefined {
    try {
      return this.#make(named(thing), JSON.stringify(value));
    } catch (error) {
      this.#onBroken(thing, error);
      return undefined;
    }
  }

  /** A thing is gone. */
  ofGone(thing: Named): SharedText {
    return this.#make(named(thing), GONE);
  }

  /** The server's change to a value, given as JSON. */
  ofServer(value: string): SharedText {
    return this.#make(',{"entity":"server","value":', value);
  }

  #make(before: string, value: string): SharedText {
    this.#count += 1;
    const text = new SharedText(this.#count, before, value);
    this.#bytes += text.bytes.length;
    return text;
  }
}

type Named = { readonly entity: Exclude<Change["entity"], "server">; readonly id: string };

function named({ entity, id }: Named): string {
  return `,${JSON.stringify({ entity, id }).slice(0, -1)},"value":`;
}

/** One thing as it was read, encoded once for everybody who may see it, and not before somebody may. */
export class EncodedThing {
  readonly entity: Entity;
  readonly id: string;
  /** Names it among all things. */
  readonly key: string;
  readonly #maker: TextMaker;
  #value: EntityValue<Entity> | undefined;
  #text: SharedText | undefined;
  #gone: SharedText | undefined;

  constructor(thing: Pick<EncodedThing, "entity" | "id" | "value">, maker: TextMaker) {
    this.entity = thing.entity;
    this.id = thing.id;
    this.key = `${thing.entity} ${thing.id}`;
    this.#value = thing.value;
    this.#maker = maker;
  }

  /** Undefined: it is gone, or cannot be encoded. */
  get value(): EntityValue<Entity> | undefined {
    return this.#value;
  }

  /** The change to what somebody is shown of it; undefined: that cannot be encoded. */
  textOf(shown: EntityValue<Entity>): SharedText | undefined {
    if (shown !== this.#value) return this.#maker.ofThing(this, shown);
    this.#text ??= this.#maker.ofThing(this, shown);
    if (this.#text === undefined) this.#value = undefined;
    return this.#text;
  }

  /** The change to nothing. */
  get gone(): SharedText {
    this.#gone ??= this.#maker.ofGone(this);
    return this.#gone;
  }
}

/** The server as it is now, encoded once for all who are shown the same of it. */
export class EncodedServer {
  readonly entity = "server";
  readonly value: ServerStatus;
  readonly #maker: TextMaker;
  readonly #texts = new Map<string, SharedText>();

  constructor(value: ServerStatus, maker: TextMaker) {
    this.value = value;
    this.#maker = maker;
  }

  /** The change to what somebody is shown of it. */
  textOf(shown: ServerStatus): SharedText {
    const value = JSON.stringify(shown);
    const text = this.#texts.get(value) ?? this.#maker.ofServer(value);
    this.#texts.set(value, text);
    return text;
  }
}

/** Something that changed. */
export type Encoded = EncodedServer | EncodedThing;
