import { displayName } from "../model/arrange.ts";
import { naturalKey } from "../model/naturalKey.ts";
import type { Node } from "../model/node.ts";
import type { FleetChange } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { ArrangedChange } from "../servers/serverChange.ts";
import { rememberedName } from "../tunnels/localTunnel.ts";
import {
  ALL,
  changedServerTunnel,
  changedTunnel,
  type Dirty,
  type SourceDeps,
  type TreeSource,
  tunnelNodes,
} from "./source.ts";

/**
 * The tunnels view: open tunnels, those to this computer and those to the server, and those of before that
 * can be opened again, by client. There are few, so clients of all servers stand side by side.
 */
export class TunnelsSource implements TreeSource {
  readonly #deps: SourceDeps;
  /** The rows at the top when they were asked for last. */
  #asked: ReadonlySet<Node> = new Set();

  constructor(deps: SourceDeps) {
    this.#deps = deps;
  }

  roots(): readonly Node[] {
    const roots = this.#deps.fleet.servers.flatMap((server) => this.#clients(server));
    this.#asked = new Set(roots);
    return roots;
  }

  children(node: Node): readonly Node[] {
    return node.kind === "client" ? tunnelNodes(this.#deps, node.serverKey, node.clientId) : [];
  }

  parent(node: Node): Node | undefined {
    if (node.kind !== "localTunnel" && node.kind !== "serverTunnel") return undefined;
    const { serverKey, clientId } = node;
    return this.#deps.nodes.get({ kind: "client", serverKey, clientId, place: "tunnels" });
  }

  affected(event: FleetChange): readonly Dirty[] {
    if (event.kind === "servers") return ALL;
    if (event.kind === "localTunnel") {
      const node = changedTunnel(this.#deps, event);
      if (node !== undefined) return [{ kind: "row", node }];
      return this.#client(event.tunnel.serverKey, event.tunnel.clientId);
    }
    const { server, change } = event;
    if (change.kind === "state") return [];
    if (change.kind === "reset") return ALL;
    return change.changes.flatMap((each) => this.#changed(server, each));
  }

  #changed(server: Server, { change }: ArrangedChange): readonly Dirty[] {
    if (change.entity === "tunnel") {
      const node = changedServerTunnel(this.#deps, server.key, change);
      if (node !== undefined) return [{ kind: "row", node }];
      return this.#client(server.key, (change.after ?? change.before)?.client_id ?? "");
    }
    if (change.entity !== "client") return [];
    const place = "tunnels";
    const parts = { serverKey: server.key, clientId: change.id, place } as const;
    const node = this.#deps.nodes.find({ kind: "client", ...parts });
    return node === undefined ? [] : [{ kind: "row", node }];
  }

  /** A client's tunnels changed; the first one brings its row, the last one takes it away. */
  #client(serverKey: string, clientId: string): readonly Dirty[] {
    const node = this.#deps.nodes.get({ kind: "client", serverKey, clientId, place: "tunnels" });
    const isNeeded = tunnelNodes(this.#deps, serverKey, clientId).length > 0;
    return isNeeded === this.#asked.has(node) ? [{ kind: "subtree", node }] : ALL;
  }

  #clients(server: Server): readonly Node[] {
    const { fleet, nodes } = this.#deps;
    const local = fleet.tunnels.all.filter((tunnel) => tunnel.serverKey === server.key);
    const remote = [...server.mirror.maps.tunnels.values()];
    const ids = new Set<string>([
      ...local.map(({ clientId }) => clientId),
      ...remote.map((tunnel) => tunnel.client_id),
    ]);
    const keyed = [...ids].map((clientId) => {
      const client = fleet.client(server.key, clientId);
      const name = client === undefined ? rememberedName(local, clientId) : displayName(client);
      return { clientId, key: naturalKey(name) };
    });
    keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
    return keyed.map(({ clientId }) =>
      nodes.get({ kind: "client", serverKey: server.key, clientId, place: "tunnels" }),
    );
  }
}
