import type { CredentialStore } from "../config/credentialStore.ts";
import type { Log } from "../platform/log.ts";
import type { Terminals } from "../terminal/terminals.ts";
import type { TunnelRule } from "../tunnels/allow.ts";
import type { Lookup } from "../tunnels/target.ts";
import { checkPort } from "./checkPort.ts";
import { checkTunnelAllowed } from "./checkTunnelAllowed.ts";
import { holdJoin } from "./holdJoin.ts";
import { type ListeningDeps, listeningPorts } from "./listeningPorts.ts";
import { ping } from "./ping.ts";
import { proveHostKey } from "./proveHostKey.ts";
import { putCapabilities } from "./putCapabilities.ts";
import { rotateSecret } from "./rotateSecret.ts";
import type { ServerRequest } from "./serverRequest.ts";
import { terminalRequests } from "./terminals.ts";

/** What the answers need. */
export interface RequestTableDeps extends Pick<ListeningDeps, "listeners" | "tells"> {
  readonly rules: readonly TunnelRule[];
  readonly resolve: Lookup;
  readonly credentials: CredentialStore;
  readonly terminals: Terminals;
  readonly log: Log;
  /** Signs the server's challenge; undefined: this host has no key, so the request is not known. */
  readonly prove: ((nonce: string) => string) | undefined;
  /** Told whenever the server says that a person is being asked about this host. */
  onHeld(): void;
  /** Told once the server has said which extensions it speaks, too. */
  onFeatures(agreed: ReadonlySet<string>): void;
}

/** All requests of a server that this agent answers, by their names. */
export function requestTable(deps: RequestTableDeps): ReadonlyMap<string, ServerRequest> {
  const { rules, resolve, credentials, log, prove } = deps;
  const requests = [
    ping,
    putCapabilities((agreed) => deps.onFeatures(agreed)),
    checkTunnelAllowed({ rules, resolve }),
    checkPort({ rules, resolve }),
    rotateSecret({ credentials, log }),
    holdJoin(() => deps.onHeld()),
    listeningPorts({ rules, listeners: deps.listeners, tells: deps.tells }),
    ...terminalRequests(deps.terminals),
  ];
  if (prove !== undefined) requests.push(proveHostKey(prove));
  return new Map(requests.map((request) => [request.name, request]));
}
