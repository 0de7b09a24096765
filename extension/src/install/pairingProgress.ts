import type { Client } from "@rport/protocol/model";
import type { Pairing } from "@rport/protocol/pairing/model";
import type { SheetState } from "@rport/protocol/sheet";
import { displayName } from "../model/arrange.ts";

/** Where the sheet's pairing stands, as the page is told. */
export type Progress = SheetState["pairing"];

/** What is known about a pairing that was created for a sheet. */
export interface PairingFacts {
  /** As it was last heard of. */
  readonly pairing: Pairing;
  /** Whether the server still lists it. */
  readonly isListed: boolean;
  /** The client that claimed it last, if the server knows it. */
  readonly client: Client | undefined;
  /** The server's clock, in milliseconds since the epoch. */
  readonly serverNowMs: number;
}

/**
 * From waiting over claimed to connected, or to one of the ends. Connected means: the host that
 * claimed this pairing has signed in with its credential since then.
 */
export function progressOf({ pairing, isListed, client, serverNowMs }: PairingFacts): Progress {
  const claim = pairing.claims.at(-1);
  if (claim !== undefined) {
    if (client !== undefined && hasArrived(client, pairing, claim.at)) return connected(client);
    const { hostname, address } = claim;
    return { kind: "claimed", hostname, address, expiresAt: pairing.expires_at };
  }
  const isOver = serverNowMs >= Date.parse(pairing.expires_at);
  if (pairing.state === "expired" || (isOver && pairing.state !== "revoked")) {
    return { kind: "expired" };
  }
  if (pairing.state === "revoked" || !isListed) return { kind: "revoked" };
  return { kind: "waiting", expiresAt: pairing.expires_at };
}

function hasArrived(client: Client, pairing: Pairing, claimedAt: string): boolean {
  if (client.connection_state !== "connected") return false;
  if (client.client_auth_id !== pairing.credential_id || client.connected_at === null) return false;
  return Date.parse(client.connected_at) >= Date.parse(claimedAt);
}

function connected(client: Client): Progress {
  return {
    kind: "connected",
    clientId: client.id,
    name: displayName(client),
    os: client.os_full_name || client.os,
    address: client.ipv4[0] ?? client.address,
  };
}
