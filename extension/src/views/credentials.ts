import type { Pairing } from "@rport/protocol/model";
import { naturalKey } from "../model/naturalKey.ts";
import type { Node } from "../model/node.ts";
import type { FleetChange } from "../servers/fleet.ts";
import type { EntityChange, Server } from "../servers/server.ts";
import {
  ALL,
  type Dirty,
  rootsOf,
  serverDirty,
  serverNode,
  stateDirty,
  type TreeSource,
  type ViewContext,
} from "./source.ts";

/** The "Client Access" view: credentials; below each its rotation, live pairings and clients. */
export class CredentialsSource implements TreeSource {
  readonly #context: ViewContext;

  constructor(context: ViewContext) {
    this.#context = context;
  }

  roots(): readonly Node[] {
    return rootsOf(this.#context, (server) => this.#credentials(server));
  }

  children(node: Node): readonly Node[] {
    const server = this.#context.fleet.get(node.serverKey);
    if (server === undefined) return [];
    if (node.kind === "server") return this.#credentials(server);
    return node.kind === "credential" ? this.#below(server, node.authId) : [];
  }

  parent(node: Node): Node | undefined {
    const { fleet, nodes } = this.#context;
    const { serverKey } = node;
    if (node.kind === "credential") return serverNode(this.#context, serverKey);
    const mirror = fleet.get(serverKey)?.mirror;
    if (node.kind === "rotation") {
      return nodes.get({ kind: "credential", serverKey, authId: node.authId });
    }
    const authId =
      node.kind === "pairing"
        ? mirror?.pairings.get(node.pairingId)?.credential_id
        : node.kind === "client"
          ? mirror?.clients.get(node.clientId)?.client_auth_id
          : undefined;
    return authId === undefined ? undefined : nodes.get({ kind: "credential", serverKey, authId });
  }

  affected(event: FleetChange): readonly Dirty[] {
    if (event.kind === "servers") return ALL;
    if (event.kind === "localTunnel") return [];
    const { server, change } = event;
    if (change.kind === "state") return stateDirty(this.#context, server.key);
    if (change.kind === "reset") return serverDirty(this.#context, server.key);
    return change.changes.flatMap((each) => this.#changed(server, each));
  }

  #changed(server: Server, { change, move }: EntityChange): readonly Dirty[] {
    switch (change.entity) {
      case "credential": {
        const isSame = change.before !== undefined && change.after !== undefined;
        if (!isSame) return serverDirty(this.#context, server.key);
        // its list of clients is told by the clients themselves
        const kind = change.before?.rotation === null && change.after?.rotation === null;
        return this.#credential(server, change.id, kind ? "row" : "subtree");
      }
      case "pairing": {
        const authId = (change.after ?? change.before)?.credential_id ?? "";
        return this.#credential(server, authId, "subtree");
      }
      case "client": {
        const lists = [...(move?.credentials ?? [])].flatMap((authId) =>
          this.#credential(server, authId, "subtree"),
        );
        return [...lists, ...this.#client(server.key, change.id)];
      }
      default:
        return [];
    }
  }

  #credential(server: Server, authId: string, kind: "row" | "subtree"): readonly Dirty[] {
    const node = this.#context.nodes.find({ kind: "credential", serverKey: server.key, authId });
    return node === undefined ? [] : [{ kind, node }];
  }

  #client(serverKey: string, clientId: string): readonly Dirty[] {
    const place = "credential";
    const node = this.#context.nodes.find({ kind: "client", serverKey, clientId, place });
    return node === undefined ? [] : [{ kind: "row", node }];
  }

  #credentials(server: Server): readonly Node[] {
    const keyed = [...server.mirror.credentials.keys()].map((authId) => ({
      authId,
      key: naturalKey(authId),
    }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
    return keyed.map(({ authId }) =>
      this.#context.nodes.get({ kind: "credential", serverKey: server.key, authId }),
    );
  }

  #below(server: Server, authId: string): readonly Node[] {
    const { nodes } = this.#context;
    const serverKey = server.key;
    const { credentials, pairings } = server.mirror;
    const isRotating = (credentials.get(authId)?.rotation ?? null) !== null;
    const rotation = isRotating ? [nodes.get({ kind: "rotation", serverKey, authId })] : [];
    const live = [...pairings.values()]
      .filter((pairing) => isLiveOf(pairing, authId))
      .map(({ id }) => nodes.get({ kind: "pairing", serverKey, pairingId: id }));
    const clients = server.clients
      .ofCredential(authId)
      .map((clientId) => nodes.get({ kind: "client", serverKey, clientId, place: "credential" }));
    return [...rotation, ...live, ...clients];
  }
}

/** Whether a pairing can still be used and belongs to a credential. */
export function isLiveOf(pairing: Pairing, authId: string): boolean {
  return pairing.credential_id === authId && pairing.state === "active";
}
