import type { TunnelRequest } from "./localTunnel.ts";

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
