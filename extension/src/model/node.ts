import type { Group } from "./shown/grouping.ts";

/** A row of a tree: what it stands for, never how it looks. */
export type Node =
  | { readonly kind: "server"; readonly id: string; readonly serverKey: string }
  | GroupNode
  | OutageNode
  | ClientNode
  | CredentialNode
  | {
      readonly kind: "rotation";
      readonly id: string;
      readonly serverKey: string;
      readonly authId: string;
    }
  | PairingNode
  | SecretsNode
  | SecretNode
  | JoinNode
  | RefusalsNode
  | RefusalNode
  | UserNode
  | AccessNode
  | InvitationsNode
  | InvitationNode
  | LocalTunnelNode
  | ServerTunnelNode;

/** A group in the clients view. */
export interface GroupNode {
  readonly kind: "group";
  readonly id: string;
  readonly serverKey: string;
  readonly by: Group["by"];
  readonly value: string;
  /**
   * The editor remembers by id what somebody has closed. A filter that is asked for opens its groups, so
   * they are others then; 0: there is no filter.
   */
  readonly round: number;
}

/** Hosts that went together, in the group that they stand in. */
export interface OutageNode {
  readonly kind: "outage";
  readonly id: string;
  readonly serverKey: string;
  readonly by: Group["by"];
  readonly value: string;
  /** See `Outage`. */
  readonly outage: string;
  /** See `GroupNode`. */
  readonly round: number;
}

/**
 * A client: in the clients view, below a credential, below the rotation that it has not followed
 * yet, or above its tunnels in the tunnels view.
 */
export interface ClientNode {
  readonly kind: "client";
  readonly id: string;
  readonly serverKey: string;
  readonly clientId: string;
  readonly place: "clients" | "credential" | "rotation" | "tunnels";
  /** The tag of the group that it stands in, where it stands in another one already. */
  readonly tag?: string;
}

/** A credential. */
export interface CredentialNode {
  readonly kind: "credential";
  readonly id: string;
  readonly serverKey: string;
  readonly authId: string;
}

/** A pairing, below its credential. */
export interface PairingNode {
  readonly kind: "pairing";
  readonly id: string;
  readonly serverKey: string;
  readonly pairingId: string;
}

/** The secrets of a credential; they are fetched when somebody looks. */
export interface SecretsNode {
  readonly kind: "secrets";
  readonly id: string;
  readonly serverKey: string;
  readonly authId: string;
}

/** One secret. */
export interface SecretNode {
  readonly kind: "secret";
  readonly id: string;
  readonly serverKey: string;
  readonly authId: string;
  readonly secretId: string;
}

/** A first join that waits for a person. */
export interface JoinNode {
  readonly kind: "join";
  readonly id: string;
  readonly serverKey: string;
  readonly joinId: string;
}

/** The agents that a server has turned away. */
export interface RefusalsNode {
  readonly kind: "refusals";
  readonly id: string;
  readonly serverKey: string;
}

/** Agents that were turned away for one reason. */
export interface RefusalNode {
  readonly kind: "refusal";
  readonly id: string;
  readonly serverKey: string;
  readonly refusalId: string;
}

/** A user. */
export interface UserNode {
  readonly kind: "user";
  readonly id: string;
  readonly serverKey: string;
  readonly userName: string;
}

/** A session or a personal token of a user; they are fetched when somebody looks. */
export interface AccessNode {
  readonly kind: "access";
  readonly id: string;
  readonly serverKey: string;
  readonly userName: string;
  /** See `UserAccess`. */
  readonly accessId: string;
}

/** The invitations that can still be accepted; they are fetched when somebody looks. */
export interface InvitationsNode {
  readonly kind: "invitations";
  readonly id: string;
  readonly serverKey: string;
}

/** One invitation. */
export interface InvitationNode {
  readonly kind: "invitation";
  readonly id: string;
  readonly serverKey: string;
  readonly invitationId: string;
}

/** A tunnel that ends on this computer. */
export interface LocalTunnelNode {
  readonly kind: "localTunnel";
  readonly id: string;
  readonly serverKey: string;
  readonly clientId: string;
  readonly tunnelId: string;
}

/** A tunnel whose listener is on the server. */
export interface ServerTunnelNode {
  readonly kind: "serverTunnel";
  readonly id: string;
  readonly serverKey: string;
  readonly clientId: string;
  /** `<client id>/<tunnel id>` */
  readonly tunnelKey: string;
}

/** A node without its id, which follows from the rest. */
export type NodeParts = Node extends infer N ? (N extends Node ? Omit<N, "id"> : never) : never;

/**
 * The id of a row: server, kind, then what tells it apart; stable over reloads. It is unambiguous
 * without escaping, which counts at 10,000 rows: a kind has a free text only as its last part, or
 * in front of parts that are told by their shape.
 */
function idOf(parts: NodeParts): string {
  return `${parts.serverKey}/${parts.kind}${tailOf(parts)}`;
}

function tailOf(parts: NodeParts): string {
  switch (parts.kind) {
    case "server":
    case "refusals":
    case "invitations":
      return "";
    case "user":
      return `/${parts.userName}`;
    case "access":
      return `/${parts.accessId}/${parts.userName}`;
    case "invitation":
      return `/${parts.invitationId}`;
    case "group":
      return `/${parts.round}/${parts.by}/${parts.value}`;
    case "outage":
      return `/${parts.round}/${parts.by}/${parts.outage.length}/${parts.outage}/${parts.value}`;
    case "client":
      return clientTail(parts);
    case "credential":
    case "rotation":
    case "secrets":
      return `/${parts.authId}`;
    case "secret":
      return `/${parts.secretId}`;
    case "join":
      return `/${parts.joinId}`;
    case "refusal":
      return `/${parts.refusalId}`;
    case "pairing":
      return `/${parts.pairingId}`;
    case "localTunnel":
      return `/${parts.tunnelId}`;
    case "serverTunnel":
      return `/${parts.tunnelKey}`;
  }
}

function clientTail({ place, clientId, tag }: Omit<ClientNode, "id">): string {
  return tag === undefined ? `/${place}/${clientId}` : `/tag/${tag.length}/${tag}/${clientId}`;
}

/**
 * Hands out the one object for each row: the editor recognises rows by identity, and commands
 * accept only rows that came from here.
 */
export class Nodes {
  readonly #nodes = new Map<string, Node>();

  /** The row for these parts, made when asked for the first time. */
  get<P extends NodeParts>(parts: P): P & { readonly id: string } {
    const id = idOf(parts);
    const known = this.#nodes.get(id);
    if (known !== undefined) return known as unknown as P & { readonly id: string };
    const node = { ...parts, id };
    this.#nodes.set(id, node as unknown as Node);
    return node;
  }

  /** The row for these parts if it was ever shown. */
  find(parts: NodeParts): Node | undefined {
    return this.#nodes.get(idOf(parts));
  }

  /** Whether a value that a command was given is a row of ours. */
  owns(value: unknown): value is Node {
    if (typeof value !== "object" || value === null || !("id" in value)) return false;
    return typeof value.id === "string" && this.#nodes.get(value.id) === value;
  }

  /** Forgets the rows of a server that is no longer configured. */
  forget(serverKey: string): void {
    for (const [id, node] of this.#nodes) if (node.serverKey === serverKey) this.#nodes.delete(id);
  }
}
