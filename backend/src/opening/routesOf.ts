import type { Auditing } from "../audit/auditing.ts";
import type { EventHub } from "../events/hub.ts";
import { type UserRoute, type UserRoutesDeps, userRoutes } from "../http/userRoutes.ts";
import type { Records } from "./openRecords.ts";
import type { OpenedTerminals } from "./openTerminals.ts";
import type { Tunnels } from "./openTunnels.ts";

/** What stands behind the users' WebSockets. */
export interface RoutedServices
  extends Pick<Records, "access" | "sights" | "registry">,
    Pick<Tunnels, "dial" | "relays">,
    Pick<OpenedTerminals, "terminalOpenings" | "terminalBytes"> {
  readonly hub: EventHub;
  readonly auditing: Pick<Auditing, "editors">;
}

/** Every WebSocket of the users' face, with what stands behind it. */
export function routesOf(
  services: RoutedServices,
  { clock, log }: Pick<UserRoutesDeps, "clock" | "log">,
): readonly UserRoute[] {
  const { hub, access, sights, dial, relays, auditing, registry } = services;
  const { terminalOpenings, terminalBytes } = services;
  return userRoutes({
    hub,
    access,
    sights,
    dial,
    relays,
    terminalOpenings,
    terminalBytes,
    clock,
    log,
    editors: auditing.editors,
    hostnameOf: (id) => registry.record(id)?.hostname,
  });
}
