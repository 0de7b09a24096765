import type { Forwarder } from "./forwarder.ts";
import type { LocalTunnel } from "./localTunnel.ts";
import type { TunnelRecord } from "./memory/record.ts";

/** A tunnel as it is shown: what is remembered of it, and what its listener says, if it has one. */
export function viewOf(
  record: TunnelRecord,
  forwarder: Forwarder | undefined,
  failure: string | undefined,
): LocalTunnel {
  const { id, serverKey, clientId, clientName, remote, localPort, localHost, workspace, kind } =
    record;
  const isOpen = forwarder !== undefined;
  return {
    id,
    serverKey,
    clientId,
    clientName,
    remote,
    localPort,
    localHost,
    workspace,
    kind,
    isOpen,
    connections: forwarder?.connections ?? 0,
    failure: isOpen ? forwarder.failure : failure,
    broke: forwarder?.broke,
  };
}
