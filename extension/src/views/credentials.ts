import type { Swap } from "../model/mirror.ts";
import { naturalKey } from "../model/naturalKey.ts";
import type { Node } from "../model/node.ts";
import type { FleetChange } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { ArrangedChange } from "../servers/serverChange.ts";
import {
  belowCredential,
  belowRefusals,
  belowRotation,
  belowSecrets,
  credentialOf,
} from "./credentialNodes.ts";
import {
  ALL,
  type Dirty,
  rootsOf,
  type SourceDeps,
  serverDirty,
  serverNode,
  stateDirty,
  type TreeSource,
} from "./source.ts";

/**
 * The "Client Access" view: hosts that wait to be let in, then credentials; below each its
 * rotation, live pairings, secrets and clients; at the end, who was turned away.
 */
export class CredentialsSource implements TreeSource {
  readonly #deps: SourceDeps;
  /** The servers whose refusals had a row when it was asked for last. */
  readonly #withRefusals = new Set<string>();

  constructor(deps: SourceDeps) {
    this.#deps = deps;
  }

  roots(): readonly Node[] {
    return rootsOf(this.#deps, (server) => this.#below(server));
  }

  children(node: Node): readonly Node[] {
    const server = this.#deps.fleet.get(node.serverKey);
    if (server === undefined) return [];
    const { nodes } = this.#deps;
    switch (node.kind) {
      case "server":
        return this.#below(server);
      case "credential":
        return belowCredential(nodes, server, node.authId);
      case "rotation":
        return belowRotation(nodes, server, node.authId);
      case "secrets":
        return belowSecrets(nodes, server, node.authId);
      case "refusals":
        return belowRefusals(nodes, server);
      default:
        return [];
    }
  }

  load(node: Node): Promise<void> | undefined {
    const server = this.#deps.fleet.get(node.serverKey);
    if (node.kind === "secrets") return server?.secrets.load(node.authId);
    return node.kind === "rotation" ? server?.rotations.load(node.authId) : undefined;
  }

  parent(node: Node): Node | undefined {
    const { fleet, nodes } = this.#deps;
    const { serverKey } = node;
    if (["credential", "join", "refusals"].includes(node.kind)) {
      return serverNode(this.#deps, serverKey);
    }
    if (node.kind === "refusal") return nodes.get({ kind: "refusals", serverKey });
    const authId = credentialOf(node, fleet.get(serverKey)?.mirror);
    if (authId === undefined) return undefined;
    if (node.kind === "secret") return nodes.get({ kind: "secrets", serverKey, authId });
    if (node.kind === "client" && node.place === "rotation") {
      return nodes.get({ kind: "rotation", serverKey, authId });
    }
    return nodes.get({ kind: "credential", serverKey, authId });
  }

  affected(event: FleetChange): readonly Dirty[] {
    if (event.kind === "servers") return ALL;
    if (event.kind === "localTunnel") return [];
    const { server, change } = event;
    if (change.kind === "state") return stateDirty(this.#deps, server.key);
    if (change.kind === "reset") return serverDirty(this.#deps, server.key);
    return change.changes.flatMap((each) => this.#changed(server, each));
  }

  #changed(server: Server, { change, rearranged }: ArrangedChange): readonly Dirty[] {
    switch (change.entity) {
      case "credential":
        return this.#credentialChanged(server, change);
      case "pairing": {
        const authId = (change.after ?? change.before)?.credential_id ?? "";
        return this.#credential(server, authId, "subtree");
      }
      case "client": {
        const lists = [...(rearranged?.credentials ?? [])].flatMap((authId) =>
          this.#credential(server, authId, "subtree"),
        );
        const shared = [...(rearranged?.shared ?? [])].flatMap((authId) =>
          this.#credential(server, authId, "row"),
        );
        return [...lists, ...shared, ...this.#clientChanged(server, change)];
      }
      case "join":
        return this.#joinChanged(server, change);
      case "refusal":
        return this.#refusalChanged(server, change);
      default:
        return [];
    }
  }

  #credentialChanged(server: Server, change: Swap<"credential">): readonly Dirty[] {
    const { before, after, id: authId } = change;
    if (before === undefined || after === undefined) return serverDirty(this.#deps, server.key);
    // its list of clients is told by the clients themselves
    const isSame =
      hasRotation(before) === hasRotation(after) && hasSecrets(before) === hasSecrets(after);
    const serverKey = server.key;
    return [
      ...this.#credential(server, authId, isSame ? "row" : "subtree"),
      ...this.#found({ kind: "rotation", serverKey, authId }, "row"),
      ...this.#found({ kind: "secrets", serverKey, authId }, "subtree"),
    ];
  }

  #clientChanged({ key: serverKey }: Server, change: Swap<"client">): readonly Dirty[] {
    const { id: clientId, before, after } = change;
    const authId = (after ?? before)?.client_auth_id ?? "";
    const isMoving = (before?.rotation_state ?? "done") !== (after?.rotation_state ?? "done");
    const rotation = isMoving
      ? this.#found({ kind: "rotation", serverKey, authId }, "subtree")
      : [];
    return [
      ...rotation,
      ...this.#found({ kind: "client", serverKey, clientId, place: "credential" }, "row"),
      ...this.#found({ kind: "client", serverKey, clientId, place: "rotation" }, "row"),
    ];
  }

  #refusalChanged(server: Server, change: Swap<"refusal">): readonly Dirty[] {
    const { key: serverKey, mirror } = server;
    // one message may bring the first ones, so what was asked for last is what counts
    if (mirror.maps.refusals.size > 0 !== this.#withRefusals.has(serverKey)) {
      return serverDirty(this.#deps, serverKey);
    }
    const isSame = change.before !== undefined && change.after !== undefined;
    return [
      ...this.#found({ kind: "refusals", serverKey }, isSame ? "row" : "subtree"),
      ...this.#found({ kind: "refusal", serverKey, refusalId: change.id }, "row"),
    ];
  }

  #joinChanged(server: Server, change: Swap<"join">): readonly Dirty[] {
    if (change.before === undefined || change.after === undefined) {
      return serverDirty(this.#deps, server.key);
    }
    return this.#found({ kind: "join", serverKey: server.key, joinId: change.id }, "row");
  }

  #credential(server: Server, authId: string, kind: "row" | "subtree"): readonly Dirty[] {
    return this.#found({ kind: "credential", serverKey: server.key, authId }, kind);
  }

  #found(parts: Parameters<SourceDeps["nodes"]["find"]>[0], kind: "row" | "subtree") {
    const node = this.#deps.nodes.find(parts);
    return node === undefined ? [] : [{ kind, node }];
  }

  #below(server: Server): readonly Node[] {
    const { nodes } = this.#deps;
    const { key: serverKey, mirror } = server;
    const joins = [...mirror.maps.joins.keys()].map((joinId) =>
      nodes.get({ kind: "join", serverKey, joinId }),
    );
    const keyed = [...mirror.maps.credentials.keys()].map((authId) => ({
      authId,
      key: naturalKey(authId),
    }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
    const credentials = keyed.map(({ authId }) =>
      nodes.get({ kind: "credential", serverKey, authId }),
    );
    if (mirror.maps.refusals.size === 0) {
      this.#withRefusals.delete(serverKey);
      return [...joins, ...credentials];
    }
    this.#withRefusals.add(serverKey);
    return [...joins, ...credentials, nodes.get({ kind: "refusals", serverKey })];
  }
}

interface Counted {
  readonly rotation: unknown;
  readonly secrets_active: number;
  readonly secrets_grace: number;
}

function hasRotation({ rotation }: Counted): boolean {
  return rotation !== null;
}

function hasSecrets(credential: Counted): boolean {
  return credential.secrets_active + credential.secrets_grace > 0;
}
