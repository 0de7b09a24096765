import type { Duplex } from "node:stream";
import { TUNNEL_CHANNEL } from "@rport/protocol/agent";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import type { Connection } from "@rport/protocol/wire/connection";
import { WireError } from "@rport/protocol/wire/wireError";

/**
 * Opens a channel to a target at the agent's side; rejects with a `WireError`. `onFull` is told when
 * that is because there may be no more of them.
 */
export async function openTunnelChannel(
  connection: Connection,
  target: HostPort,
  onFull: () => void,
): Promise<Duplex> {
  const extra = Buffer.from(formatHostPort(target), "latin1");
  try {
    return await connection.open(TUNNEL_CHANNEL, extra);
  } catch (caught) {
    if (caught instanceof WireError && caught.kind === "limit") onFull();
    throw caught;
  }
}
