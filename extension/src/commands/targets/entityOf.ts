import type { Node } from "../../model/node.ts";
import type {
  ClientTarget,
  CredentialTarget,
  JoinTarget,
  PairingTarget,
  SecretTarget,
  TunnelTarget,
} from "../../servers/entities.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { ClientsSource } from "../../views/clients.ts";
import { credentialOf } from "../../views/credentialNodes.ts";

/** What is in the rows of the clients view that stand for several clients. */
export type Groups = Pick<ClientsSource, "children" | "isFiltered" | "outageRow" | "sizeOf">;

/** What rows stand for, each undefined for rows of other kinds and for what has gone meanwhile. */
export class EntityOf {
  readonly #fleet: Fleet;
  readonly #groups: Groups;

  constructor(fleet: Fleet, groups: Groups) {
    this.#fleet = fleet;
    this.#groups = groups;
  }

  /** The rows of the hosts that went together, of the row for them. */
  hosts(node: Node): readonly Node[] | undefined {
    return node.kind === "outage" ? this.#groups.children(node) : undefined;
  }

  /** The client of a row, wherever it stands. */
  client(node: Node): ClientTarget | undefined {
    const server = this.#fleet.get(node.serverKey);
    if (server === undefined || node.kind !== "client") return undefined;
    const client = server.mirror.maps.clients.get(node.clientId);
    return client === undefined ? undefined : { server, client };
  }

  /** The credential of a row; one below it, such as a client's, stands for the credential. */
  credential(node: Node): CredentialTarget | undefined {
    const server = this.#fleet.get(node.serverKey);
    const authId = credentialOf(node, server?.mirror);
    if (server === undefined || authId === undefined) return undefined;
    const credential = server.mirror.maps.credentials.get(authId);
    return credential === undefined ? undefined : { server, credential };
  }

  /** The secret of a row. */
  secret(node: Node): SecretTarget | undefined {
    const server = this.#fleet.get(node.serverKey);
    if (server === undefined || node.kind !== "secret") return undefined;
    const secret = server.secrets.get(node.authId, node.secretId);
    return secret === undefined ? undefined : { server, secret };
  }

  /** The tunnel of a row, on this computer or on the server. */
  tunnel(node: Node): TunnelTarget | undefined {
    const server = this.#fleet.get(node.serverKey);
    if (server === undefined) return undefined;
    if (node.kind === "localTunnel") {
      const tunnel = this.#fleet.tunnels.get(node.tunnelId);
      return tunnel === undefined ? undefined : { kind: "local", server, tunnel };
    }
    if (node.kind !== "serverTunnel") return undefined;
    const tunnel = server.mirror.maps.tunnels.get(node.tunnelKey);
    return tunnel === undefined ? undefined : { kind: "server", server, tunnel };
  }

  /** The host that waits. */
  join(node: Node): JoinTarget | undefined {
    const server = this.#fleet.get(node.serverKey);
    if (server === undefined || node.kind !== "join") return undefined;
    const join = server.mirror.maps.joins.get(node.joinId);
    return join === undefined ? undefined : { server, join };
  }

  /** The pairing of a row. */
  pairing(node: Node): PairingTarget | undefined {
    const server = this.#fleet.get(node.serverKey);
    if (server === undefined || node.kind !== "pairing") return undefined;
    const pairing = server.mirror.maps.pairings.get(node.pairingId);
    return pairing === undefined ? undefined : { server, pairing };
  }
}
