import type { ClientId } from "@rport/protocol/ids";
import type { TunnelQuery } from "../../../backend/src/tunnels/request.ts";
import { type AgentSide, SECRET } from "./agentSide.ts";
import { PeerAgent, type PeerAgentOptions } from "./peerAgent.ts";

/** Ranges of ports behind one another, the first one at `first`: one for each side of a test file. */
export function rangesFrom(first: number): (size?: number) => { from: number; to: number } {
  let next = first;
  return (size = 20) => {
    next += size;
    return { from: next - size, to: next - 1 };
  };
}

/** An agent of the credential `fleet` that has come in. */
export function joinFleet(
  { url }: AgentSide,
  change: Partial<PeerAgentOptions> = {},
): Promise<PeerAgent> {
  return PeerAgent.join({ url, user: "fleet", password: SECRET, ...change });
}

/** Opens a tunnel to a client, as a person does: ann, unless somebody else is named. */
export function createTunnel(
  { tunnels }: AgentSide,
  id: ClientId,
  { owner = "ann", ...query }: Partial<TunnelQuery> & { remote: string; owner?: string },
) {
  return tunnels.create(id, query, { owner });
}
