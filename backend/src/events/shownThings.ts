import type { Entity, EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/model";
import type { Sight } from "./sight.ts";

/** The text of what is gone. */
export const GONE = "null";

/** One thing as it is now, encoded once for everybody who may see it. */
export class EncodedThing {
  readonly entity: Entity;
  readonly id: string;
  /** Undefined: it is gone. */
  readonly value: EntityValue<Entity> | undefined;
  /** The value as JSON. */
  readonly text: string;
  /** Names it among all things. */
  readonly key: string;
  #bytes: Buffer | undefined;

  constructor(thing: Pick<EncodedThing, "entity" | "id" | "value">) {
    this.entity = thing.entity;
    this.id = thing.id;
    this.value = thing.value;
    this.text = thing.value === undefined ? GONE : JSON.stringify(thing.value);
    this.key = `${thing.entity} ${thing.id}`;
  }

  /** The change to this value, with a comma before it. */
  get bytes(): Buffer {
    this.#bytes ??= this.changeTo(this.text);
    return this.#bytes;
  }

  /** The change to another value of it, given as JSON. */
  changeTo(text: string): Buffer {
    const named = JSON.stringify({ entity: this.entity, id: this.id }).slice(0, -1);
    return Buffer.from(`,${named},"value":${text}}`);
  }
}

/** The server as it is now. */
export class EncodedServer {
  readonly entity = "server";
  readonly value: ServerStatus;
  /** The value as JSON. */
  readonly text: string;

  constructor(value: ServerStatus) {
    this.value = value;
    this.text = JSON.stringify(value);
  }
}

/**
 * What those with one sight are shown. Of a thing that they may not see they are not even told that
 * it is gone, unless they were shown it before.
 */
export class ShownThings {
  readonly #sight: Sight;
  /** What they were shown, and not told that it is gone. */
  readonly #told = new Set<string>();

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  /** The server as they are shown it. */
  server(status: ServerStatus): ServerStatus {
    return this.#sight.server(status);
  }

  /** The thing as JSON; undefined: they may not see it. */
  textOf(thing: EncodedThing): string | undefined {
    const shown = this.#shown(thing);
    if (shown === undefined) return undefined;
    return shown === thing.value ? thing.text : JSON.stringify(shown);
  }

  /** The change as JSON, with a comma before it; undefined: it is none for them. */
  changeOf(change: EncodedServer | EncodedThing): Buffer | undefined {
    if (change.entity === "server") return this.#serverChange(change);
    const shown = this.#shown(change);
    if (shown !== undefined) {
      return shown === change.value ? change.bytes : change.changeTo(JSON.stringify(shown));
    }
    const isGone = this.#told.delete(change.key) || this.#sight.isWhole;
    return isGone ? change.changeTo(GONE) : undefined;
  }

  #shown({ entity, value, key }: EncodedThing): EntityValue<Entity> | undefined {
    const shown = value && this.#sight.shown(entity, value);
    if (shown !== undefined && !this.#sight.isWhole) this.#told.add(key);
    return shown;
  }

  #serverChange({ value, text }: EncodedServer): Buffer {
    const shown = this.#sight.server(value);
    const shownText = shown === value ? text : JSON.stringify(shown);
    return Buffer.from(`,{"entity":"server","value":${shownText}}`);
  }
}
