import { ENTITY_NAMES } from "@rport/protocol/events";
import type { EntitySources } from "../../../backend/src/events/hub.ts";

/** Sources of every kind of thing, of which there is none. */
export function emptySources(): EntitySources {
  const none = { ids: () => [], get: () => undefined };
  return Object.fromEntries(
    ENTITY_NAMES.map((entity) => [entity, none]),
  ) as unknown as EntitySources;
}
