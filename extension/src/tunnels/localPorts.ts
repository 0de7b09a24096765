import { RportError } from "@rport/protocol/errors";
import { formatHostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { LOCAL_HOST } from "../model/tunnels/localHost.ts";
import type { LocalTunnel, TunnelRequest } from "./localTunnel.ts";
import { RECORDS_MAX } from "./memory/record.ts";

/** Ports below need privileges on most systems, so they are not tried as local ports. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/**
 * The local ports to try for a tunnel, in this order; 0 stands for any. Who asks for one gets that one or
 * none. `before` is the port that the same target had last.
 */
export function localPorts(
  { localPort, remote, isThisComputer, localHost }: TunnelRequest & { readonly localHost?: string },
  before?: number,
): readonly number[] {
  if (localPort !== undefined) return [localPort];
  const known = before === undefined ? [] : [before];
  // on the same computer the same port would be its own end
  const isSelf = isThisComputer || remote.host === localHost;
  const canBeSame = !isSelf && remote.port >= FIRST_UNPRIVILEGED_PORT;
  const same = canBeSame && remote.port !== before ? [remote.port] : [];
  return [...known, ...same, 0];
}

/** Throws `ERR_CODE_LOCAL_PORT_IN_USE` when the one port to try is that of a tunnel that is open at that address. */
export function refuseTaken(
  {
    ports,
    localHost = LOCAL_HOST,
  }: { readonly ports: readonly number[]; readonly localHost: string | undefined },
  open: readonly LocalTunnel[],
): void {
  const [wanted] = ports;
  const other = open.find(
    (each) => each.localPort === wanted && (each.localHost ?? LOCAL_HOST) === localHost,
  );
  if (other === undefined || ports.length > 1) return;
  const leads = `${other.clientName || other.clientId} (${formatHostPort(other.remote)})`;
  throw new RportError(
    "ERR_CODE_LOCAL_PORT_IN_USE",
    t("Port {0} of this computer is used by the tunnel to {1}.", other.localPort, leads),
  );
}

/** Throws `BAD_REQUEST` when as many tunnels are open as can be remembered. */
export function refuseFull(open: number): void {
  if (open < RECORDS_MAX) return;
  throw new RportError("BAD_REQUEST", t("{0} tunnels are open: close one first.", RECORDS_MAX));
}
