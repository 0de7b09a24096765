import type { Entity, EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/serverStatus";
import type { Encoded, EncodedThing } from "./encodedThing.ts";
import type { SharedText } from "./sharedText.ts";
import type { Sight } from "./sight.ts";

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

  /** The thing as they are shown it; undefined: they may not see it. */
  textOf(thing: EncodedThing): SharedText | undefined {
    const shown = this.#shown(thing);
    const text = shown && thing.textOf(shown);
    if (text !== undefined && !this.#sight.isWhole) this.#told.add(thing.key);
    return text;
  }

  /** The change; undefined: it is none for them. */
  changeOf(change: Encoded): SharedText | undefined {
    if (change.entity === "server") return change.textOf(this.#sight.server(change.value));
    const text = this.textOf(change);
    if (text !== undefined) return text;
    const isGone = this.#told.delete(change.key) || this.#sight.isWhole;
    return isGone ? change.gone : undefined;
  }

  #shown({ entity, value }: EncodedThing): EntityValue<Entity> | undefined {
    return value && this.#sight.shown(entity, value);
  }
}
