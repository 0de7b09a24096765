import type { RemoteMessage } from "@rport/protocol/agent";
import type { StoredTunnel } from "../store/records/clientRecord.ts";

/** Which tunnels a returning client gets. */
export interface RestorePlan {
  /** What the agent asked for, with the remembered tunnel it stands for, if there is one. */
  readonly wanted: readonly { readonly remote: RemoteMessage; readonly was?: StoredTunnel }[];
  /** Remembered ones to open again. */
  readonly restored: readonly StoredTunnel[];
}

/**
 * RPort's rules: each tunnel the agent asks for has to be one of the
 * remembered ones, each of those once; then the others are opened again. If there is one that is
 * new, the agent's list has changed and nothing is restored.
 */
export function planRestore(
  remotes: readonly RemoteMessage[],
  stored: readonly StoredTunnel[],
): RestorePlan {
  const unused = new Set(stored);
  const wanted = remotes.map((remote) => {
    const was = [...unused].find((tunnel) => isSame(remote, tunnel));
    if (was === undefined) return { remote };
    unused.delete(was);
    return { remote, was };
  });
  const isKnown = wanted.every((one) => "was" in one);
  return { wanted, restored: isKnown ? [...unused] : [] };
}

function isSame(remote: RemoteMessage, tunnel: StoredTunnel): boolean {
  if (remote.rhost !== tunnel.rhost || remote.rport !== tunnel.rport) return false;
  if ((remote.acl ?? "") !== (tunnel.acl ?? "")) return false;
  return remote.lport === "" ? tunnel.lport_random : remote.lport === tunnel.lport;
}
