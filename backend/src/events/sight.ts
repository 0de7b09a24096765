import type { Entity, EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/serverStatus";

/**
 * What somebody may see. Watchers that were given the same sight are one audience, and what they
 * are told is encoded once for all of them.
 */
export interface Sight {
  /**
   * A thing as they are shown it: the value itself where nothing is left out, undefined where it is
   * as if there were none.
   */
  readonly shown: <E extends Entity>(
    entity: E,
    value: EntityValue<E>,
  ) => EntityValue<E> | undefined;
  /** The server as they are shown it. */
  readonly server: (status: ServerStatus) => ServerStatus;
  /** Nothing is left out, so that there is nothing of which they must not know that it is gone. */
  readonly isWhole: boolean;
}

/** The sight of those who may see everything. */
export const EVERYTHING: Sight = {
  shown: (_entity, value) => value,
  server: (status) => status,
  isWhole: true,
};
