import type { Change, Entity, EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/serverStatus";

/** What can change: one of many things of a kind, or the server itself. */
export type Touchable = Change["entity"];

/** Marks a thing as changed. For `server` the id is ignored; a tunnel's is `<client>/<tunnel>`. */
export type Touch = (entity: Touchable, id: string) => void;

/** Where the hub reads what a thing looks like now. */
export interface Lookup<T> {
  /** The ids of all of them. It may be read over many turns, while things come and go. */
  ids(): Iterable<string>;
  /** Undefined: it is gone. */
  get(id: string): T | undefined;
}

/** Where the things of each kind are read. */
export type EntitySources = { readonly [E in Entity]: Lookup<EntityValue<E>> };

/** Everything that watchers see. */
export interface EventSources extends EntitySources {
  readonly server: () => ServerStatus;
}
