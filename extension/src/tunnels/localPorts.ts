import { RportError } from "@rport/protocol/errors";
import { formatHostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import type { LocalTunnel, TunnelRequest } from "./localTunnel.ts";

/** Ports below need privileges on most systems, so they are not tried as local ports. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/**
 * The local ports to try for a tunnel, in this order; 0 stands for any. Who asks for one gets that one or
 * none. `before` is the port that the same target had last.
 */
export function localPorts(
  { localPort, remote, isThisComputer }: TunnelRequest,
  before?: number,
): readonly number[] {
  if (localPort !== undefined) return [localPort];
  const known = before === undefined ? [] : [before];
  // on the same computer the same port would be its own end
  const canBeSame = !isThisComputer && remote.port >= FIRST_UNPRIVILEGED_PORT;
  const same = canBeSame && remote.port !== before ? [remote.port] : [];
  return [...known, ...same, 0];
}

/** Throws `ERR_CODE_LOCAL_PORT_IN_USE` when the one port to try is that of a tunnel that is open. */
export function refuseTaken(ports: readonly number[], open: readonly LocalTunnel[]): void {
  const [wanted] = ports;
  const other = open.find(({ localPort }) => localPort === wanted);
  if (other === undefined || ports.length > 1) return;
  const leads = `${other.clientName || other.clientId} (${formatHostPort(other.remote)})`;
  throw new RportError(
    "ERR_CODE_LOCAL_PORT_IN_USE",
    t("Port {0} of this computer is used by the tunnel to {1}.", other.localPort, leads),
  );
}
