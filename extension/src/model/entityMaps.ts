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

class Maps {
  constructor() {
    for (const entity of ENTITY_NAMES) {
      Object.defineProperty(this, ENTITIES[entity].list, { value: new Map(), enumerable: true });
    }
  }
}

/** Empty maps. A class cannot say that its members follow from a table, but this type can. */
export const EntityMaps = Maps as new () => EntityMaps;
