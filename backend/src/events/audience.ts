import {
  type Change,
  type Delta,
  type Entity,
  type EntityLists,
  type EntityValue,
  entityLists,
  type Snapshot,
} from "@rport/protocol/events";

/** Takes messages in order. Never throws. */
export type Watcher = (message: string) => void;

/**
 * What somebody may see. Watchers that were given the same sight are one audience, and what they
 * are told is encoded once for all of them.
 */
export interface Sight {
  readonly maySee: <E extends Entity>(entity: E, value: EntityValue<E>) => boolean;
}

/** The sight of those who may see everything. */
export const EVERYTHING: Sight = { maySee: () => true };

/** Reads all things of a kind. */
export type ListOf = <E extends Entity>(entity: E) => readonly EntityValue<E>[];

/** The watchers with one sight. */
export class Audience {
  readonly #sight: Sight;
  readonly #watchers = new Set<Watcher>();

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  /** How many watch now. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Tells a watcher first what there is; from then on it hears of what changes. */
  add(watcher: Watcher, facts: Omit<Snapshot, keyof EntityLists>, listOf: ListOf): void {
    const lists = entityLists((entity) =>
      listOf(entity).filter((value) => this.#sight.maySee(entity, value)),
    );
    const snapshot: Snapshot = { ...facts, ...lists };
    watcher(JSON.stringify(snapshot));
    this.#watchers.add(watcher);
  }

  /** Takes a watcher out; harmless when it is not in. */
  delete(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  /** Tells everybody what changed. What may not be seen looks as if it were gone. */
  tell(delta: Delta): void {
    const changes = delta.changes.map((change) => this.#seen(change));
    const seen: Delta = { ...delta, changes };
    const message = JSON.stringify(seen);
    for (const watcher of [...this.#watchers]) watcher(message);
  }

  #seen(change: Change): Change {
    if (change.entity === "server" || change.value === null) return change;
    return this.#sight.maySee(change.entity, change.value) ? change : { ...change, value: null };
  }
}
