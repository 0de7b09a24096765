import type { Swap } from "../model/mirror.ts";
import type { Node, Nodes } from "../model/node.ts";
import type { Fleet, FleetChange } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import { type LocalTunnel, openOnes, type TunnelChange } from "../tunnels/localTunnel.ts";

/** What the trees are made from. */
export interface SourceDeps {
  readonly fleet: Fleet;
  readonly nodes: Nodes;
}

/**
 * What a tree has to show anew: all of it, a row alone, or a row with what is below it. Where only the list of
 * rows at the top, or below a row, has become another one, each row of it being as it was, that is much cheaper.
 */
export type Dirty =
  | { readonly kind: "all" }
  | { readonly kind: "roots" }
  | { readonly kind: "row"; readonly node: Node }
  | { readonly kind: "subtree"; readonly node: Node }
  | { readonly kind: "list"; readonly node: Node };

/** The structure of one tree, without the editor's API. */
export interface TreeSource {
  roots(): readonly Node[];
  children(node: Node): readonly Node[];
  /** Fetches what the children of a row are made of; undefined when it is all in the mirror. */
  load?(node: Node): Promise<void> | undefined;
  parent(node: Node): Node | undefined;
  /** What a change makes stale. It names only rows that were asked for before. */
  affected(change: FleetChange): readonly Dirty[];
}

/** Everything is stale. */
export const ALL: readonly Dirty[] = [{ kind: "all" }];

/** Whether servers have rows of their own: a lone server is not worth a level. */
export function hasServerRows({ fleet }: SourceDeps): boolean {
  return fleet.servers.length > 1;
}

/** The rows at the top: servers if there are several, else what is below the only one. */
export function rootsOf(
  deps: SourceDeps,
  below: (server: Server) => readonly Node[],
): readonly Node[] {
  const { fleet, nodes } = deps;
  const [only] = fleet.servers;
  if (!hasServerRows(deps)) return only === undefined ? [] : below(only);
  return fleet.servers.map(({ key }) => nodes.get({ kind: "server", serverKey: key }));
}

/** The row of a server, if servers have rows. */
export function serverNode(deps: SourceDeps, serverKey: string): Node | undefined {
  return hasServerRows(deps) ? deps.nodes.get({ kind: "server", serverKey }) : undefined;
}

/** What is stale when everything below a server is. */
export function serverDirty(deps: SourceDeps, serverKey: string): readonly Dirty[] {
  const node = serverNode(deps, serverKey);
  return node === undefined ? ALL : [{ kind: "subtree", node }];
}

/** The same, when each of the rows below it is as it was. */
export function listDirty(deps: SourceDeps, serverKey: string): Dirty {
  const node = serverNode(deps, serverKey);
  return node === undefined ? { kind: "roots" } : { kind: "list", node };
}

/** What is stale when the state of a server's connection changed: its row, if it has one. */
export function stateDirty(deps: SourceDeps, serverKey: string): readonly Dirty[] {
  const node = serverNode(deps, serverKey);
  return node === undefined ? [] : [{ kind: "row", node }];
}

/** The row of a tunnel that changed in place; undefined when the tunnel came or went. */
export function changedTunnel(
  { nodes }: SourceDeps,
  { tunnel: { serverKey, clientId, id }, isInPlace }: TunnelChange,
): Node | undefined {
  if (!isInPlace) return undefined;
  return nodes.find({ kind: "localTunnel", serverKey, clientId, tunnelId: id });
}

/** Like `changedTunnel`, for a tunnel of the server. */
export function changedServerTunnel(
  { nodes }: SourceDeps,
  serverKey: string,
  { id, before, after }: Swap<"tunnel">,
): Node | undefined {
  if (before === undefined || after === undefined) return undefined;
  return nodes.find({ kind: "serverTunnel", serverKey, clientId: after.client_id, tunnelKey: id });
}

/** The rows of all open tunnels to a client: first those that end on this computer. */
export function openTunnelNodes(
  deps: SourceDeps,
  serverKey: string,
  clientId: string,
): readonly Node[] {
  const local = openOnes(deps.fleet.tunnels.of(serverKey, clientId));
  return rowsOf(deps, { serverKey, clientId, local });
}

/** The same with those of before, that can be opened again. */
export function tunnelNodes(
  deps: SourceDeps,
  serverKey: string,
  clientId: string,
): readonly Node[] {
  const local = deps.fleet.tunnels.of(serverKey, clientId);
  return rowsOf(deps, { serverKey, clientId, local });
}

interface ClientTunnels {
  readonly serverKey: string;
  readonly clientId: string;
  readonly local: readonly LocalTunnel[];
}

function rowsOf(
  { fleet, nodes }: SourceDeps,
  { serverKey, clientId, local }: ClientTunnels,
): readonly Node[] {
  const here = local.map(({ id }) =>
    nodes.get({ kind: "localTunnel", serverKey, clientId, tunnelId: id }),
  );
  const tunnels = fleet.get(serverKey)?.mirror.tunnelsOf(clientId) ?? [];
  const remote = tunnels.map(({ id }) =>
    nodes.get({ kind: "serverTunnel", serverKey, clientId, tunnelKey: `${clientId}/${id}` }),
  );
  return [...here, ...remote];
}
