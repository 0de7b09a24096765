import type { Entity, EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/model";
import type { Sight } from "./sight.ts";

/** The text of what is gone. */
export const GONE = "null";

/** One thing as it is now, encoded for everybody who may see it. */
export interface EncodedThing {
  readonly entity: Entity;
  readonly id: string;
  /** Undefined: it is gone. */
  readonly value: EntityValue<Entity> | undefined;
  /** The value as JSON. */
  readonly text: string;
}

/** The server as it is now, encoded. */
export interface EncodedServer {
  readonly entity: "server";
  readonly value: ServerStatus;
  readonly text: string;
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

  /** The thing as JSON, which is there already unless they are shown it in another way. */
  textOf(thing: EncodedThing): string | undefined {
    const { entity, value, text } = thing;
    const shown = value && this.#sight.shown(entity, value);
    if (shown === undefined) return undefined;
    if (!this.#sight.isWhole) this.#told.add(keyOf(thing));
    return shown === value ? text : JSON.stringify(shown);
  }

  /** The change as JSON; undefined: it is none for them. */
  changeText(change: EncodedServer | EncodedThing): string | undefined {
    if (change.entity === "server") return this.#serverText(change);
    const { entity, id } = change;
    const text = this.textOf(change);
    const isGone = text === undefined && (this.#told.delete(keyOf(change)) || this.#sight.isWhole);
    if (text === undefined && !isGone) return undefined;
    return `${JSON.stringify({ entity, id }).slice(0, -1)},"value":${text ?? GONE}}`;
  }

  #serverText({ value, text }: EncodedServer): string {
    const shown = this.#sight.server(value);
    return `{"entity":"server","value":${shown === value ? text : JSON.stringify(shown)}}`;
  }
}

function keyOf({ entity, id }: EncodedThing): string {
  return `${entity} ${id}`;
}
