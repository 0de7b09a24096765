import type { Duplex } from "node:stream";
import { TUNNEL_CHANNEL } from "@rport/protocol/agent";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import type { Connection } from "@rport/protocol/wire/connection";
import { WireError } from "@rport/protocol/wire/wireError";
import { factsOf, namesOf } from "./agentFacts.ts";
import type { ArrivingSession } from "./arrivingSession.ts";
import type { SessionDeps } from "./sessionDeps.ts";

/** Over what a channel is opened, and who is told when there may be no more. */
export interface ChannelOpener {
  readonly session: ArrivingSession;
  readonly connection: Connection;
  readonly deps: Pick<SessionDeps, "limits" | "agentEvents" | "registry">;
}

/**
 * Opens a channel to a target at the agent's side; rejects with a `WireError`. One that is refused
 * because there are as many as may be is counted, logged and in the audit log, as often as those do.
 */
export async function openTunnelChannel(opener: ChannelOpener, target: HostPort): Promise<Duplex> {
  const extra = Buffer.from(formatHostPort(target), "latin1");
  try {
    return await opener.connection.open(TUNNEL_CHANNEL, extra);
  } catch (caught) {
    if (caught instanceof WireError && caught.kind === "limit") tellFull(opener);
    throw caught;
  }
}

function tellFull({ session, connection, deps }: ChannelOpener): void {
  const { limits, agentEvents, registry } = deps;
  const { isProcessFull } = connection.transport.held;
  const limit = isProcessFull ? "held_bytes" : "channels_per_agent";
  limits.bite(limit, namesOf(session));
  agentEvents.tunnelsFull(factsOf(session, registry), { limit, max: limits.max(limit) });
}
