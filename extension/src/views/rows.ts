import type { Client } from "@rport/protocol/model";
import { displayName } from "../model/arrange.ts";
import { clientRow, clientTooltip, groupRow } from "../model/clientRow.ts";
import { contextValue } from "../model/contextValue.ts";
import { credentialRow, pairingRow, rotationRow } from "../model/credentialRow.ts";
import type { ClientNode, LocalTunnelNode, Node, ServerTunnelNode } from "../model/node.ts";
import type { Row } from "../model/row.ts";
import { serverRow } from "../model/serverRow.ts";
import { localTunnelRow, serverTunnelRow } from "../model/tunnelRow.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import { isLiveOf } from "./credentials.ts";

/** What a row is described from. */
export interface RowContext {
  readonly fleet: Fleet;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

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
export function rowOf(node: Node, context: RowContext): Row {
  const server = context.fleet.get(node.serverKey);
  return (server === undefined ? undefined : describe(node, server, context)) ?? GONE;
}

function describe(node: Node, server: Server, context: RowContext): Row | undefined {
  const { mirror, clients } = server;
  switch (node.kind) {
    case "server":
      return describeServer(server);
    case "group":
      return groupRow(node.status, clients.countOf(node.status));
    case "client":
      return describeClient(node, server, context);
    case "credential": {
      const credential = mirror.credentials.get(node.authId);
      if (credential === undefined) return undefined;
      return credentialRow(credential, hasChildren(server, node.authId), context.now());
    }
    case "rotation": {
      const credential = mirror.credentials.get(node.authId);
      return credential === undefined ? undefined : rotationRow(credential, context.now());
    }
    case "pairing": {
      const pairing = mirror.pairings.get(node.pairingId);
      return pairing === undefined ? undefined : pairingRow(pairing, context.now());
    }
    case "localTunnel":
      return describeLocalTunnel(node, context);
    case "serverTunnel":
      return describeServerTunnel(node, server);
  }
}

function describeServer(server: Server): Row {
  const { name, address, isLocal, state, clients } = server;
  const online = clients.countOf("online");
  const total = online + clients.countOf("offline");
  return serverRow({ name, address, isLocal, state, online, total });
}

function describeClient(node: ClientNode, server: Server, context: RowContext): Row | undefined {
  const client = server.mirror.clients.get(node.clientId);
  if (client === undefined) return undefined;
  return clientRow({
    client,
    serverName: context.fleet.servers.length > 1 ? server.name : "",
    place: node.place,
    localTunnels: context.fleet.tunnels.countOf(server.key, client.id),
    serverTunnels: server.mirror.tunnelCountOf(client.id),
    nowMs: context.now(),
  });
}

function hasChildren({ mirror, clients }: Server, authId: string): boolean {
  if (clients.ofCredential(authId).length > 0) return true;
  if ((mirror.credentials.get(authId)?.rotation ?? null) !== null) return true;
  return [...mirror.pairings.values()].some((pairing) => isLiveOf(pairing, authId));
}

function clientName(client: Client | undefined, clientId: string): string {
  return client === undefined ? clientId : displayName(client);
}

function describeLocalTunnel(node: LocalTunnelNode, { fleet }: RowContext): Row | undefined {
  const tunnel = fleet.tunnels.get(node.tunnelId);
  if (tunnel === undefined) return undefined;
  const client = fleet.client(node.serverKey, node.clientId);
  return localTunnelRow(tunnel, clientName(client, node.clientId));
}

function describeServerTunnel(node: ServerTunnelNode, server: Server): Row | undefined {
  const tunnel = server.mirror.tunnels.get(node.tunnelKey);
  if (tunnel === undefined) return undefined;
  const client = server.mirror.clients.get(node.clientId);
  return serverTunnelRow(tunnel, clientName(client, node.clientId), hostOf(server));
}

/** The name under which the server is reached from here. */
export function hostOf({ address }: Server): string {
  return address === "" ? "127.0.0.1" : new URL(address).hostname;
}

/** What a hover shows of a client, in Markdown; undefined for other rows. */
export function tooltipOf(node: Node, { fleet, now }: RowContext): string | undefined {
  if (node.kind !== "client") return undefined;
  const client = fleet.client(node.serverKey, node.clientId);
  return client === undefined ? undefined : clientTooltip(client, now());
}
