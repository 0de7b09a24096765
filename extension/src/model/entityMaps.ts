import {
  ENTITIES,
  ENTITY_NAMES,
  type Entity,
  type EntityValue,
  type ListName,
} from "@rport/protocol/events";

/** The things of each kind by id, under the name that their list has in a snapshot. */
export type EntityMaps = {
  readonly [E in Entity as ListName<E>]: Map<string, EntityValue<E>>;
};

/** An empty map for each kind. */
export function emptyMaps(): EntityMaps {
  const maps = ENTITY_NAMES.map((entity) => [ENTITIES[entity].list, new Map()]);
  return Object.fromEntries(maps) as EntityMaps;
}
