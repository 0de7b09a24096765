import type { Pairing } from "@rport/protocol/model";
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
      return mirror?.pairings.get(node.pairingId)?.credential_id;
    case "client":
      return mirror?.clients.get(node.clientId)?.client_auth_id;
    default:
      return undefined;
  }
}

/** Below a credential: its rotation, its live pairings, its secrets, its clients. */
export function belowCredential(nodes: Nodes, server: Server, authId: string): readonly Node[] {
  const { key: serverKey, mirror, clients } = server;
  const credential = mirror.credentials.get(authId);
  const isRotating = (credential?.rotation ?? null) !== null;
  const secrets = (credential?.secrets_active ?? 0) + (credential?.secrets_grace ?? 0);
  const live = [...mirror.pairings.values()].filter((pairing) => isLiveOf(pairing, authId));
  return [
    ...(isRotating ? [nodes.get({ kind: "rotation", serverKey, authId })] : []),
    ...live.map(({ id }) => nodes.get({ kind: "pairing", serverKey, pairingId: id })),
    ...(secrets > 0 ? [nodes.get({ kind: "secrets", serverKey, authId })] : []),
    ...clients
      .ofCredential(authId)
      .map((clientId) => nodes.get({ kind: "client", serverKey, clientId, place: "credential" })),
  ];
}

/** Below a rotation: the clients that have not moved, those that need a hand first. */
export function belowRotation(nodes: Nodes, server: Server, authId: string): readonly Node[] {
  const { key: serverKey, mirror, clients } = server;
  const left = clients.ofCredential(authId).flatMap((clientId) => {
    const state = mirror.clients.get(clientId)?.rotation_state ?? null;
    return state === null ? [] : [{ clientId, isStraggler: state === "straggler" }];
  });
  left.sort((a, b) => Number(b.isStraggler) - Number(a.isStraggler));
  return left.map(({ clientId }) =>
    nodes.get({ kind: "client", serverKey, clientId, place: "rotation" }),
  );
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
  const refusals = [...server.mirror.refusals.values()];
  refusals.sort((a, b) => Date.parse(b.first_at) - Date.parse(a.first_at));
  return refusals.map(({ id }) =>
    nodes.get({ kind: "refusal", serverKey: server.key, refusalId: id }),
  );
}
