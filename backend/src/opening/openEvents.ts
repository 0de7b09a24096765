import type { ServerStatus } from "@rport/protocol/model";
import type { Refusals } from "../clients/refusals.ts";
import { EventHub } from "../events/hub.ts";
import { touchedBy } from "../events/touched.ts";
import type { Pairings } from "../pairing/pairings.ts";
import type { Clock } from "../platform/clock.ts";
import type { Store } from "../store/store.ts";
import type { TunnelService } from "../tunnels/tunnelService.ts";
import type { Records } from "./openRecords.ts";

/** What editors see. */
export interface EventsDeps {
  readonly store: Store;
  readonly records: Records;
  readonly tunnels: TunnelService;
  readonly pairings: Pairings;
  readonly refusals: Refusals;
  readonly status: () => ServerStatus;
  readonly clock: Clock;
}

/** Tells editors what changes; what lasts by itself, because the hub follows the store. */
export function openEvents(deps: EventsDeps, opened: AsyncDisposableStack): EventHub {
  const { store, records, tunnels, pairings, refusals, status, clock } = deps;
  const { registry, clients, credentials } = records;
  const sources = {
    server: status,
    client: clients,
    credential: credentials,
    tunnel: tunnels,
    pairing: pairings,
    join: credentials.joins,
    refusal: refusals,
  };
  const hub = new EventHub(sources, clock);
  store.edits.follow((edits) => {
    for (const [entity, id] of touchedBy(edits, registry)) hub.touch(entity, id);
  });
  opened.defer(() => hub.close());
  return hub;
}
