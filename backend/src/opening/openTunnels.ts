import type { ClientId } from "@rport/protocol/ids";
import { Relays } from "@rport/protocol/wire/relay";
import type { Auditing } from "../audit/auditing.ts";
import type { LiveSession } from "../clients/liveSession.ts";
import type { LocalPresence } from "../clients/registry/presence.ts";
import type { ClientRegistry } from "../clients/registry/registry.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { Touch } from "../events/sources.ts";
import type { Limits } from "../limits/limits.ts";
import { loggedFault } from "../platform/faults.ts";
import { PortRanges } from "../platform/portRanges.ts";
import type { Store } from "../store/store.ts";
import { askingRightOf } from "../tunnels/askingRight.ts";
import { createDial, createLinkDial, type Dial } from "../tunnels/dialer.ts";
import { KeptPorts } from "../tunnels/keptPorts.ts";
import type { TunnelSockets } from "../tunnels/listener.ts";
import { createListening, type Listening } from "../tunnels/listening.ts";
import { createProbe, type Probe } from "../tunnels/probe.ts";
import { TunnelService } from "../tunnels/tunnelService.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What tunnels stand on. */
export interface TunnelsDeps {
  readonly store: Store;
  readonly registry: ClientRegistry;
  readonly credentials: Credentials;
  readonly presence: LocalPresence<LiveSession>;
  readonly auditing: Auditing;
  readonly sockets: TunnelSockets;
  readonly limits: Limits;
  readonly touch: Touch;
}

/** What is carried to and from agents. */
export interface Tunnels {
  readonly tunnels: TunnelService;
  /** Shares the process fairly among everything that is carried. */
  readonly relays: Relays;
  readonly dial: Dial;
  readonly listening: Listening;
  readonly probe: Probe;
}

/** Tunnels that end on this server, and the dial under all of them; `opened` closes them. */
export function openTunnels(
  { clock, log, tunnels: { bind, ports } }: ServicesOptions,
  { store, registry, credentials, presence, auditing, sockets, limits, touch }: TunnelsDeps,
  opened: AsyncDisposableStack,
): Tunnels {
  const linkDial = createLinkDial(clock);
  const relays = new Relays(loggedFault(log, "a stream of a tunnel"));
  const tunnels = new TunnelService({
    clients: registry,
    dial: linkDial,
    relays,
    sockets,
    limits,
    bind,
    ranges: new PortRanges(ports),
    kept: KeptPorts.following(registry.records(), store.edits),
    askingRight: (id) => askingRightOf(credentials.get(id)),
    clock,
    log,
    touch,
    events: auditing.tunnels,
  });
  opened.defer(() => tunnels.close());
  const connected = (id: ClientId) => presence.connected(id);
  const hostnameOf = (id: ClientId) => registry.record(id)?.hostname;
  return {
    tunnels,
    relays,
    dial: createDial(connected, linkDial),
    listening: createListening(connected),
    probe: createProbe({ connected, hostnameOf, editors: auditing.editors }),
  };
}
