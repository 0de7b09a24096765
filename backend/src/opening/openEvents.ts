import { ENTITIES, type Entity, type EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/serverStatus";
import type { Refusals } from "../clients/refusals.ts";
import { EventHub } from "../events/hub.ts";
import type { EventSources, Lookup } from "../events/sources.ts";
import { touchedBy } from "../events/touched.ts";
import type { Limits } from "../limits/limits.ts";
import type { Pairings } from "../pairing/pairings.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Store } from "../store/store.ts";
import type { TunnelService } from "../tunnels/tunnelService.ts";
import type { Accounts } from "../users/accounts.ts";
import type { Records } from "./openRecords.ts";

/** What editors see. */
export interface EventsDeps {
  readonly store: Store;
  readonly records: Records;
  readonly accounts: Accounts;
  readonly tunnels: TunnelService;
  readonly pairings: Pairings;
  readonly refusals: Refusals;
  readonly status: () => ServerStatus;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
}

/** A kind of which there are few enough for one list. */
function listed<E extends Entity>(
  entity: E,
  source: Pick<Lookup<EntityValue<E>>, "get"> & { list(): readonly EntityValue<E>[] },
): Lookup<EntityValue<E>> {
  // the row of a kind reads the ids of that kind
  const idOf = ENTITIES[entity].keyOf as (value: EntityValue<E>) => string;
  return { ids: () => source.list().map(idOf), get: (id) => source.get(id) };
}

/** Tells editors what changes; what lasts by itself, because the hub follows the store. */
export function openEvents(deps: EventsDeps, opened: AsyncDisposableStack): EventHub {
  const { store, records, accounts, tunnels, pairings, refusals, status, limits, clock, log } =
    deps;
  const { registry, grants, clients, credentials } = records;
  const sources: EventSources = {
    server: status,
    client: clients,
    credential: credentials,
    tunnel: listed("tunnel", tunnels),
    pairing: listed("pairing", pairings),
    join: listed("join", credentials.joins),
    refusal: listed("refusal", refusals),
    user: accounts.users,
  };
  const hub = new EventHub({
    sources,
    clock,
    log,
    backlogMaxBytes: limits.max("event_backlog_bytes"),
    onLost: () => limits.bite("event_backlog_bytes"),
    snapshotMaxBytes: limits.max("snapshot_bytes"),
    onSnapshotsFull: () => limits.bite("snapshot_bytes"),
  });
  limits.watch("snapshot_bytes", () => hub.snapshotBytes);
  limits.watch("event_backlog_bytes", () => hub.backlogBytes);
  store.edits.follow((edits) => {
    for (const [entity, id] of touchedBy(edits, registry)) hub.touch(entity, id);
  });
  grants.follow((id) => {
    hub.touch("client", id);
    for (const tunnel of tunnels.tunnelsOf(id)) hub.touch("tunnel", ENTITIES.tunnel.keyOf(tunnel));
    hub.touch("server", "");
  });
  opened.defer(() => hub.close());
  return hub;
}
