import type { WebSocket } from "ws";
import { Transport } from "./sshTransport.ts";
import type { ClientTransportDeps, ServerTransportDeps } from "./transportDeps.ts";

export type { ServerLogin } from "./login.ts";
export type { Transport } from "./sshTransport.ts";
export type {
  ClientTransportDeps,
  Login,
  ServerTransportDeps,
  TransportCounters,
  TransportLimits,
  TransportListener,
} from "./transportDeps.ts";

/** The server's end of an SSH connection over an open WebSocket. */
export function serverTransport(ws: WebSocket, deps: ServerTransportDeps): Transport {
  return new Transport(ws, { role: "server", ...deps });
}

/** The client's end; `ws` may still be connecting. */
export function clientTransport(ws: WebSocket, deps: ClientTransportDeps): Transport {
  return new Transport(ws, { role: "client", ...deps });
}
