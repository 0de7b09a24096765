import { ENTITY_NAMES, type Entity } from "@rport/protocol/events";
import type { Clock, Timer } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { EncodedServer, EncodedThing, TextMaker } from "./encodedThing.ts";
import type { EventSources } from "./sources.ts";

/** What was encoded for one snapshot is kept for so long for others. */
const KEPT_MS = 10_000;

/** What the things of the server are read with. */
export interface ThingsDeps {
  readonly sources: EventSources;
  readonly clock: Pick<Clock, "after">;
  readonly log: Log;
  /** Whether somebody still needs what is kept. */
  readonly isNeeded: () => boolean;
}

/**
 * Everything there is, as it is encoded for watchers. While snapshots are made, what is encoded for
 * one of them is kept for the others, for as long as nothing says that the thing has changed.
 */
export class Things {
  readonly texts: TextMaker;
  readonly #deps: ThingsDeps;
  #kept: Map<string, EncodedThing> | undefined;
  #aging: Timer | undefined;

  constructor(deps: ThingsDeps) {
    this.#deps = deps;
    this.texts = new TextMaker((thing, error) => this.#broken(thing, error));
  }

  /** All of them, each when it is asked for. It may be read over many turns. */
  *all(): Generator<EncodedThing> {
    for (const entity of ENTITY_NAMES) {
      for (const id of this.#deps.sources[entity].ids()) {
        yield this.#kept?.get(`${entity} ${id}`) ?? this.read(entity, id);
      }
    }
  }

  /** The thing as it is now. One that cannot be read is gone. */
  read(entity: Entity, id: string): EncodedThing {
    const thing = new EncodedThing({ entity, id, value: this.#valueOf(entity, id) }, this.texts);
    this.#kept?.set(thing.key, thing);
    return thing;
  }

  /** The server as it is now. */
  server(): EncodedServer {
    return new EncodedServer(this.#deps.sources.server(), this.texts);
  }

  /** Whether what is encoded is kept for snapshots that begin now. */
  get isKeeping(): boolean {
    return this.#kept !== undefined;
  }

  /** From now on what is encoded is kept, for some seconds and as long as it is needed then. */
  keep(): void {
    if (this.#kept !== undefined) return;
    this.#kept = new Map();
    this.#aging = this.#deps.clock.after(KEPT_MS, () => this.#renew());
  }

  /** The thing with this key has changed. */
  forget(key: string): void {
    this.#kept?.delete(key);
  }

  /** Nothing is kept. */
  drop(): void {
    this.#aging?.cancel();
    this.#kept = undefined;
  }

  #renew(): void {
    this.drop();
    if (this.#deps.isNeeded()) this.keep();
  }

  #valueOf(entity: Entity, id: string): EncodedThing["value"] {
    try {
      return this.#deps.sources[entity].get(id);
    } catch (error) {
      this.#broken({ entity, id }, error);
      return undefined;
    }
  }

  #broken({ entity, id }: { entity: string; id: string }, error: unknown): void {
    this.#deps.log.error("something cannot be shown", { entity, id, reason: errorText(error) });
  }
}
