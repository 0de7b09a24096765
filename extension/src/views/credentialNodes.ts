import type { Client } from "@rport/protocol/model";
import type { Pairing } from "@rport/protocol/pairing/model";
import type { Mirror } from "../model/mirror.ts";
import type { Node, Nodes } from "../model/node.ts";
import type { Server } from "../servers/server.ts";

/** Whether a pairing can still be used and belongs to a credential. */
export function isLiveOf(pairing: Pairing, authId: string): boolean {
  return pairing.credential_id === authId && pairing.state === "active";
}

/** The credential that a row is about or below; undefined for other rows. */
export function credentialOf(node: Node, mirror: Mirror | undefined): string | undefined {
  switch (node.kind) {
    case "credential":
    case "rotation":
    case "secrets":
    case "secret":
      return node.authId;
    case "pairing":
      return mirror?.maps.pairings.get(node.pairingId)?.credential_id;
    case "client":
      return mirror?.maps.clients.get(node.clientId)?.client_auth_id;
    default:
      return undefined;
  }
}

/** Below a credential: its rotation, its live pairings, its secrets, its clients. */
export function belowCredential(nodes: Nodes, server: Server, authId: string): readonly Node[] {
  const { key: serverKey, mirror, clients } = server;
  const credential = mirror.maps.credentials.get(authId);
  const isRotating = (credential?.rotation ?? null) !== null;
  const secrets = (credential?.secrets_active ?? 0) + (credential?.secrets_grace ?? 0);
  const live = [...mirror.maps.pairings.values()].filter((pairing) => isLiveOf(pairing, authId));
  return [
    ...(isRotating ? [nodes.get({ kind: "rotation", serverKey, authId })] : []),
    ...live.map(({ id }) => nodes.get({ kind: "pairing", serverKey, pairingId: id })),
    ...(secrets > 0 ? [nodes.get({ kind: "secrets", serverKey, authId })] : []),
    ...clients
      .ofCredential(authId)
      .map((clientId) => nodes.get({ kind: "client", serverKey, clientId, place: "credential" })),
  ];
}

/** The order of clients below a rotation: who needs a hand, who is on the way, who has moved. */
const ROTATION_ORDER = ["straggler", "pending", "offered", "stored", "done"] as const;

/** Below a rotation: its clients, those that need a hand first, those that have moved last. */
export function belowRotation(nodes: Nodes, server: Server, authId: string): readonly Node[] {
  const { key: serverKey, mirror, clients } = server;
  const taking = clients.ofCredential(authId).flatMap((clientId) => {
    const state = mirror.maps.clients.get(clientId)?.rotation_state ?? "done";
    // one whose secret was revoked takes no part
    const takesPart = state !== "done" || server.rotations.get(authId, clientId)?.state === "done";
    return takesPart ? [{ clientId, rank: ROTATION_ORDER.indexOf(state) }] : [];
  });
  taking.sort((a, b) => a.rank - b.rank);
  return taking.map(({ clientId }) =>
    nodes.get({ kind: "client", serverKey, clientId, place: "rotation" }),
  );
}

/** Why the server says that a client stands where it does in a rotation; empty when it does not. */
export function rotationReason({ rotations }: Server, client: Client): string {
  const told = rotations.get(client.client_auth_id, client.id);
  return told?.state === (client.rotation_state ?? "done") ? told.reason : "";
}

/** The secrets of a credential that still let somebody in, those that were used last first. */
export function belowSecrets(nodes: Nodes, server: Server, authId: string): readonly Node[] {
  const usable = server.secrets.of(authId).filter(({ state }) => state !== "revoked");
  const lastUse = (time: string | null) => (time === null ? 0 : Date.parse(time));
  usable.sort((a, b) => lastUse(b.last_used_at) - lastUse(a.last_used_at));
  return usable.map(({ id }) =>
    nodes.get({ kind: "secret", serverKey: server.key, authId, secretId: id }),
  );
}

/** What was refused, the newest kind first; a row keeps its place however often it repeats. */
export function belowRefusals(nodes: Nodes, server: Server): readonly Node[] {
  const refusals = [...server.mirror.maps.refusals.values()];
  refusals.sort((a, b) => Date.parse(b.first_at) - Date.parse(a.first_at));
  return refusals.map(({ id }) =>
    nodes.get({ kind: "refusal", serverKey: server.key, refusalId: id }),
  );
}
