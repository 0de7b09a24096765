import type { Client, Credential } from "@rport/protocol/model";
import { displayName } from "../model/arrange.ts";
import type {
  AccessNode,
  ClientNode,
  GroupNode,
  LocalTunnelNode,
  Node,
  RefusalNode,
  SecretNode,
  ServerTunnelNode,
  UserNode,
} from "../model/node.ts";
import { type ClientFacts, clientRow, clientTooltip } from "../model/rows/clientRow.ts";
import { contextValue } from "../model/rows/contextValue.ts";
import {
  type CredentialFacts,
  credentialRow,
  credentialTooltip,
  pairingRow,
} from "../model/rows/credentialRow.ts";
import { groupRow } from "../model/rows/groupRow.ts";
import { joinRow, joinTooltip } from "../model/rows/joinRow.ts";
import { refusalRow, refusalsRow } from "../model/rows/refusalRow.ts";
import { rotationClientRow, rotationRow } from "../model/rows/rotationRow.ts";
import type { Row } from "../model/rows/row.ts";
import { secretRow, secretsRow } from "../model/rows/secretRow.ts";
import { serverRow } from "../model/rows/serverRow.ts";
import { staleRow } from "../model/rows/staleRow.ts";
import { absentClientRow, localTunnelRow, serverTunnelRow } from "../model/rows/tunnelRow.ts";
import { accessRow, invitationRow, invitationsRow, userRow } from "../model/rows/userRow.ts";
import { ALL_INVITATIONS } from "../servers/people.ts";
import { isAway, type Server } from "../servers/server.ts";
import { rememberedName } from "../tunnels/localTunnel.ts";
import { isLiveOf, rotationReason } from "./credentialNodes.ts";
import { earlierName, isLikeRevoked } from "./earlierRecord.ts";
import { type RowContext, timedBy } from "./rowContext.ts";

/** Stands for something that went away between the question and the answer. */
const GONE: Row = {
  label: "",
  description: "",
  icon: undefined,
  context: contextValue("gone"),
  children: "none",
  spoken: "",
};

/** How a row looks now. */
export function rowOf(node: Node, given: RowContext): Row {
  const server = given.fleet.get(node.serverKey);
  // what is known of a tunnel of this computer was seen here
  const isOfHere = server === undefined || node.kind === "localTunnel";
  const context = isOfHere ? given : timedBy(server, given);
  const row = (server === undefined ? undefined : describe(node, server, context)) ?? GONE;
  const isStale = node.kind !== "server" && server !== undefined && isAway(server);
  return isStale ? staleRow(row) : row;
}

function describe(node: Node, server: Server, context: RowContext): Row | undefined {
  const { mirror } = server;
  switch (node.kind) {
    case "server":
      return describeServer(server);
    case "group":
      return describeGroup(node, server, context);
    case "outage":
      return context.groups?.outageRow(node, context.now());
    case "client":
      return describeClient(node, server, context);
    case "credential": {
      const facts = credentialFacts(server, node.authId, context);
      return facts === undefined ? undefined : credentialRow(facts);
    }
    case "secrets": {
      const credential = mirror.maps.credentials.get(node.authId);
      if (credential === undefined) return undefined;
      return secretsRow(credential, server.secrets.failureOf(node.authId));
    }
    case "secret":
      return describeSecret(node, server, context);
    case "join": {
      const join = mirror.maps.joins.get(node.joinId);
      return join === undefined ? undefined : joinRow(join, context.now());
    }
    case "refusals":
      return refusalsRow([...mirror.maps.refusals.values()]);
    case "refusal":
      return describeRefusal(node, server, context);
    case "rotation": {
      const credential = mirror.maps.credentials.get(node.authId);
      return credential === undefined ? undefined : rotationRow(credential, context.now());
    }
    case "pairing": {
      const pairing = mirror.maps.pairings.get(node.pairingId);
      return pairing === undefined ? undefined : pairingRow(pairing, context.now());
    }
    case "user":
      return describeUser(node, server, context);
    case "access":
      return describeAccess(node, server, context);
    case "invitations":
      return invitationsRow(server.people.invitations.failureOf(ALL_INVITATIONS));
    case "invitation": {
      const invitation = server.people.invitations.get(ALL_INVITATIONS, node.invitationId);
      return invitation === undefined ? undefined : invitationRow(invitation, context.now());
    }
    case "localTunnel":
      return describeLocalTunnel(node, context);
    case "serverTunnel":
      return describeServerTunnel(node, server);
  }
}

function describeGroup(node: GroupNode, server: Server, { groups }: RowContext): Row | undefined {
  if (groups === undefined) return undefined;
  return groupRow({
    group: node,
    clients: groups.sizeOf(node),
    isFiltered: groups.isFiltered,
    mayTerminal: server.may("terminal"),
  });
}

function describeRefusal(
  { refusalId }: RefusalNode,
  { mirror }: Server,
  { now }: RowContext,
): Row | undefined {
  const refusal = mirror.maps.refusals.get(refusalId);
  if (refusal === undefined) return undefined;
  const known = mirror.maps.clients.get(refusal.client_id ?? "");
  return refusalRow(refusal, now(), known === undefined ? "" : displayName(known));
}

function describeServer(server: Server): Row {
  const { name, address, isLocal, state, clients } = server;
  const online = clients.countOf("online");
  const total = online + clients.countOf("offline");
  const { administrator, account } = server.rights;
  const mayAudit = server.may("auditlog");
  return serverRow({
    name,
    address,
    isLocal,
    state,
    online,
    total,
    administrator,
    account,
    mayAudit,
  });
}

function describeClient(node: ClientNode, server: Server, context: RowContext): Row | undefined {
  const client = server.mirror.maps.clients.get(node.clientId);
  if (client === undefined) return describeAbsent(node, server, context);
  const { place } = node;
  const facts: ClientFacts = {
    client,
    looksLike: earlierName(server, client),
    isLikeRevoked: isLikeRevoked(server, client),
    serverName: context.fleet.servers.length > 1 ? server.name : "",
    place,
    isAgain: node.tag !== undefined,
    isPinned: context.isPinned?.(server.key, client.id) ?? false,
    localTunnels: context.fleet.tunnels.countOf(server.key, client.id),
    serverTunnels: server.mirror.tunnelCountOf(client.id),
    nowMs: context.now(),
    parts: context.clientParts?.(),
    mayTerminal: server.may("terminal"),
    mayTunnel: server.may("tunnels"),
    mayAdminister: server.may("administrator"),
  };
  if (place === "rotation") return rotationClientRow(facts, rotationReason(server, client));
  return clientRow(facts);
}

/** A client that is not known now, or not any more, above its tunnels of before. */
function describeAbsent(node: ClientNode, server: Server, context: RowContext): Row | undefined {
  const { fleet, last } = context;
  const { clientId, place } = node;
  if (place === "clients") return last?.rowOf(node);
  const tunnels = fleet.tunnels.of(server.key, clientId);
  if (place !== "tunnels" || tunnels.length === 0) return undefined;
  return absentClientRow(rememberedName(tunnels, clientId), !isAway(server));
}

function describeUser(node: UserNode, server: Server, context: RowContext): Row | undefined {
  const user = server.mirror.maps.users.get(node.userName);
  if (user === undefined) return undefined;
  return userRow({
    user,
    isMe: user.username === server.rights.username,
    failure: server.people.access.failureOf(node.userName),
    nowMs: context.now(),
  });
}

function describeAccess(node: AccessNode, server: Server, context: RowContext): Row | undefined {
  const access = server.people.access.get(node.userName, node.accessId);
  return access === undefined ? undefined : accessRow(access, context.now());
}

function credentialFacts(
  server: Server,
  authId: string,
  context: RowContext,
): CredentialFacts | undefined {
  const credential = server.mirror.maps.credentials.get(authId);
  if (credential === undefined) return undefined;
  return {
    credential,
    sharing: server.clients.sharingOf(authId),
    warnAfterDays: context.warnAfterDays?.() ?? 0,
    nowMs: context.now(),
    hasChildren: hasChildren(server, credential),
  };
}

function hasChildren({ mirror, clients }: Server, credential: Credential): boolean {
  const { id, rotation, secrets_active: active, secrets_grace: grace } = credential;
  if (active + grace > 0 || rotation !== null || clients.ofCredential(id).length > 0) return true;
  return [...mirror.maps.pairings.values()].some((pairing) => isLiveOf(pairing, id));
}

function describeSecret(node: SecretNode, server: Server, context: RowContext): Row | undefined {
  const secret = server.secrets.get(node.authId, node.secretId);
  if (secret === undefined) return undefined;
  const { client_id: clientId } = secret;
  return secretRow({
    secret,
    host: clientId === null ? "" : clientName(server.mirror.maps.clients.get(clientId), clientId),
    warnAfterDays: context.warnAfterDays?.() ?? 0,
    nowMs: context.now(),
  });
}

function clientName(client: Client | undefined, clientId: string): string {
  return client === undefined ? clientId : displayName(client);
}

function describeLocalTunnel(node: LocalTunnelNode, { fleet, now }: RowContext): Row | undefined {
  const tunnel = fleet.tunnels.get(node.tunnelId);
  if (tunnel === undefined) return undefined;
  const client = fleet.client(node.serverKey, node.clientId);
  const name = rememberedName([tunnel], node.clientId);
  return localTunnelRow(tunnel, client === undefined ? name : displayName(client), now());
}

function describeServerTunnel(node: ServerTunnelNode, server: Server): Row | undefined {
  const tunnel = server.mirror.maps.tunnels.get(node.tunnelKey);
  if (tunnel === undefined) return undefined;
  const client = server.mirror.maps.clients.get(node.clientId);
  return serverTunnelRow(tunnel, clientName(client, node.clientId), hostOf(server));
}

/** The name under which the server is reached from here. */
export function hostOf({ address }: Server): string {
  return address === "" ? "127.0.0.1" : new URL(address).hostname;
}

/** What a hover shows, in Markdown; undefined for rows that show all there is to say. */
export function tooltipOf(node: Node, given: RowContext): string | undefined {
  const server = given.fleet.get(node.serverKey);
  if (server === undefined) return undefined;
  const context = timedBy(server, given);
  if (node.kind === "credential") {
    const facts = credentialFacts(server, node.authId, context);
    return facts === undefined ? undefined : credentialTooltip(facts);
  }
  if (node.kind === "join") {
    const join = server.mirror.maps.joins.get(node.joinId);
    return join === undefined ? undefined : joinTooltip(join, context.now());
  }
  const client = node.kind === "client" ? server.mirror.maps.clients.get(node.clientId) : undefined;
  if (client === undefined) return undefined;
  return clientTooltip(client, context.now(), {
    looksLike: earlierName(server, client),
    isLikeRevoked: isLikeRevoked(server, client),
  });
}
