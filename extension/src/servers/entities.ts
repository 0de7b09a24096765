import type { Join } from "@rport/protocol/join";
import type { Client, Credential, Secret, Tunnel } from "@rport/protocol/model";
import type { Pairing } from "@rport/protocol/pairing/model";
import type { LocalTunnel } from "../tunnels/localTunnel.ts";
import type { Server } from "./server.ts";

/** A client and the server it is connected to. */
export interface ClientTarget {
  readonly server: Server;
  readonly client: Client;
}

/** A credential and its server. */
export interface CredentialTarget {
  readonly server: Server;
  readonly credential: Credential;
}

/** A pairing and its server. */
export interface PairingTarget {
  readonly server: Server;
  readonly pairing: Pairing;
}

/** A host that waits to be let in, and the server it waits at. */
export interface JoinTarget {
  readonly server: Server;
  readonly join: Join;
}

/** A secret and the server that accepts it. */
export interface SecretTarget {
  readonly server: Server;
  readonly secret: Secret;
}

/** An open tunnel: it ends on this computer, or on the server. */
export type TunnelTarget =
  | { readonly kind: "local"; readonly server: Server; readonly tunnel: LocalTunnel }
  | { readonly kind: "server"; readonly server: Server; readonly tunnel: Tunnel };
