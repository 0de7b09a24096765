import type { Change, Delta, Entity, EntityChange, EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/model";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import { Audience, EVERYTHING, type Sight, type Watcher } from "./audience.ts";

/** What can change: one of many things of a kind, or the server itself. */
export type Touchable = Change["entity"];

/** Marks a thing as changed. For `server` the id is ignored; a tunnel's is `<client>/<tunnel>`. */
export type Touch = (entity: Touchable, id: string) => void;

/** Where the hub reads what a thing looks like now; undefined: it is gone. */
export interface Lookup<T> {
  list(): readonly T[];
  get(id: string): T | undefined;
}

/** Where the things of each kind are read. */
export type EntitySources = { readonly [E in Entity]: Lookup<EntityValue<E>> };

/** Everything that watchers see. */
export interface EventSources extends EntitySources {
  readonly server: () => ServerStatus;
}

/** Marks are gathered this long, so that a burst of changes of one thing is told once. */
const GATHER_MS = 50;
/** Changes per message: a storm is told in pieces that a watcher can take in between. */
const CHANGES_MAX = 1_000;
/** Wait between two such pieces. */
const NEXT_PIECE_MS = 10;

/**
 * Tells watchers what changes: a snapshot first, then deltas that carry each changed thing whole.
 * The work of a delta grows with what changed, not with what there is, and none is done while
 * nobody watches.
 */
export class EventHub {
  readonly #sources: EventSources;
  readonly #clock: Clock;
  /** By what they may see; none is empty. */
  readonly #audiences = new Map<Sight, Audience>();
  readonly #dirty = new Map<string, readonly [Touchable, string]>();
  #timer: Timer | undefined;
  #seq = 0;

  constructor(sources: EventSources, clock: Clock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  /** Marks a thing as changed; watchers get its value of a moment later. */
  readonly touch: Touch = (entity, id) => {
    if (this.#audiences.size === 0) return;
    this.#dirty.set(`${entity} ${id}`, [entity, id]);
    this.#timer ??= this.#clock.after(GATHER_MS, () => this.#flush());
  };

  /** Sends the watcher everything there is that it may see, and from then on what changes. */
  watch(watcher: Watcher, sight: Sight = EVERYTHING): void {
    const audience = this.#audiences.get(sight) ?? new Audience(sight);
    const entities: EntitySources = this.#sources;
    const facts = {
      type: "snapshot" as const,
      seq: this.#seq,
      at: toTime(this.#clock.now()),
      server: this.#sources.server(),
    };
    audience.add(watcher, facts, (entity) => entities[entity].list());
    this.#audiences.set(sight, audience);
  }

  /** Stops telling a watcher. */
  unwatch(watcher: Watcher): void {
    for (const [sight, audience] of this.#audiences) {
      audience.delete(watcher);
      if (audience.size === 0) this.#audiences.delete(sight);
    }
    if (this.#audiences.size === 0) this.close();
  }

  /** How many watch now. */
  get watchers(): number {
    return [...this.#audiences.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Forgets everything that was to be told. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dirty.clear();
  }

  #flush(): void {
    this.#timer = undefined;
    const changes = this.#takeChanges();
    if (this.#dirty.size > 0) this.#timer = this.#clock.after(NEXT_PIECE_MS, () => this.#flush());
    if (changes.length === 0) return;
    this.#seq += 1;
    const delta: Delta = { type: "delta", seq: this.#seq, at: toTime(this.#clock.now()), changes };
    for (const audience of [...this.#audiences.values()]) audience.tell(delta);
  }

  #takeChanges(): Change[] {
    const changes: Change[] = [];
    for (const [key, [entity, id]] of this.#dirty) {
      if (changes.length >= CHANGES_MAX) break;
      this.#dirty.delete(key);
      changes.push(
        entity === "server"
          ? { entity, value: this.#sources.server() }
          : this.#entityChange(entity, id),
      );
    }
    return changes;
  }

  #entityChange(entity: Entity, id: string): EntityChange {
    // each source answers with the values that belong to its entity
    return { entity, id, value: this.#sources[entity].get(id) ?? null } as EntityChange;
  }
}
