import type { Entity, EntityValue } from "@rport/protocol/events";
import type { ClientId } from "@rport/protocol/ids";
import { EVERYTHING, type Sight } from "../events/sight.ts";
import { RecentMap } from "../platform/recentMap.ts";
import type { Actor } from "../users/actor.ts";
import type { ClientGrants } from "./clientGrants.ts";
import { shownClient } from "./groupAccess.ts";

/** Sights that are kept; whoever comes with one that was dropped is an audience of their own. */
const SIGHTS_MAX = 1_000;

type Sees = (id: ClientId) => boolean;

/** What is shown of each kind; kinds that are not here are for administrators. */
const SHOWN: {
  readonly [E in Entity]?: (value: EntityValue<E>, sees: Sees) => EntityValue<E> | undefined;
} = {
  client: (client, sees) => (sees(client.id) ? shownClient(client, sees) : undefined),
  tunnel: (tunnel, sees) => (sees(tunnel.client_id) ? tunnel : undefined),
};

/** What users may see in events: one sight for everybody in the same groups. */
export class Sights {
  readonly #grants: Pick<ClientGrants, "grantsOf" | "seenBy">;
  readonly #sights = new RecentMap<string, Sight>(SIGHTS_MAX);

  constructor(grants: Pick<ClientGrants, "grantsOf" | "seenBy">) {
    this.#grants = grants;
  }

  /** What the actor may see, with the groups of now. */
  of({ isAdministrator, groups }: Pick<Actor, "isAdministrator" | "groups">): Sight {
    if (isAdministrator) return EVERYTHING;
    const sorted = [...groups].sort();
    const key = JSON.stringify(sorted);
    const sight = this.#sights.get(key) ?? this.#sightOf(sorted);
    this.#sights.set(key, sight);
    return sight;
  }

  #sightOf(groups: readonly string[]): Sight {
    const own = new Set(groups);
    const sees: Sees = (id) => this.#grants.grantsOf(id).some((group) => own.has(group));
    return {
      isWhole: false,
      shown: (entity, value) => SHOWN[entity]?.(value, sees),
      server: (status) => {
        const { connected, disconnected } = this.#grants.seenBy(groups);
        return { ...status, clients_connected: connected, clients_disconnected: disconnected };
      },
    };
  }
}
