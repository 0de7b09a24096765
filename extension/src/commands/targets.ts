import type { Client, Credential } from "@rport/protocol/model";
import { type QuickPickItem, window } from "vscode";
import { STATUSES, type Status, statusOf } from "../model/arrange.ts";
import type { Node } from "../model/node.ts";
import type { Row } from "../model/rows/row.ts";
import { stateText } from "../model/rows/serverRow.ts";
import type {
  ClientTarget,
  CredentialTarget,
  JoinTarget,
  PairingTarget,
  SecretTarget,
  TunnelTarget,
} from "../servers/entities.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import { plainText } from "../support/text.ts";
import { belowSecrets, credentialOf, isLiveOf } from "../views/credentialNodes.ts";
import { rowOf } from "../views/rows.ts";
import { type SourceDeps, tunnelNodes } from "../views/source.ts";
import type { CommandInput } from "./registry.ts";

/** What turning rows into entities needs. */
export interface TargetsDeps extends SourceDeps {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What is asked for when a command has no row to work on. */
export interface Question {
  readonly title: string;
  readonly status?: Status;
  /** Which clients the command is for; all when it is left out. */
  readonly fits?: (client: Client) => boolean;
}

type Choice<T> = QuickPickItem & { readonly target: T };

/** Turns what a command was called on into entities, and asks with a list when it is nothing. */
export class Targets {
  readonly #deps: TargetsDeps;

  constructor(deps: TargetsDeps) {
    this.#deps = deps;
  }

  /** The server; asks only when there are several that fit. */
  async server(
    { node }: CommandInput,
    title: string,
    fits: (server: Server) => boolean = () => true,
  ): Promise<Server | undefined> {
    const given = node === undefined ? undefined : this.#fleet.get(node.serverKey);
    if (given !== undefined) return given;
    const servers = this.#fleet.servers.filter(fits);
    if (servers.length <= 1) return servers[0] ?? this.#nothing("There is no server to choose.");
    const choices = servers.map((server) => ({
      label: server.name,
      description: stateText(server.state),
      target: server,
    }));
    return ask(choices, title);
  }

  /** The clients of the selected rows, else the one that is picked; undefined when none is. */
  async clients(
    { selection }: CommandInput,
    { title, status, fits: isWanted }: Question,
  ): Promise<readonly ClientTarget[] | undefined> {
    const fits = ({ client }: ClientTarget) =>
      (status === undefined || statusOf(client) === status) && (isWanted?.(client) ?? true);
    const given = selection.flatMap((node) => this.#clientOf(node)).filter(fits);
    if (given.length > 0) return given;
    const all = this.#fleet.servers.flatMap((server) => clientsOf(server, status).filter(fits));
    const place = "clients";
    const choices = all.map((target) => {
      const { server, client } = target;
      const node = { kind: "client", serverKey: server.key, clientId: client.id, place } as const;
      return { ...this.#choice(this.#deps.nodes.get(node)), target };
    });
    const wanted = isWanted === undefined ? (status ?? "") : "such";
    if (choices.length === 0) return this.#nothing(`There is no ${wanted} client.`);
    const picked = await ask(choices, title);
    return picked === undefined ? undefined : [picked];
  }

  /** The credentials of the selected rows, else the one that is picked. */
  async credentials(
    { selection }: CommandInput,
    title: string,
    fits: (credential: Credential) => boolean = () => true,
  ): Promise<readonly CredentialTarget[] | undefined> {
    const given = selection
      .flatMap((node) => this.#credentialOf(node))
      .filter(({ credential }) => fits(credential));
    if (given.length > 0) return given;
    const picked = await this.#askCredential(this.#fleet.servers, title, fits);
    return picked === undefined ? undefined : [picked];
  }

  /** A credential of this server: the only one, or the one that is picked. */
  async credentialOf(server: Server, title: string): Promise<CredentialTarget | undefined> {
    const [only, ...others] = server.mirror.maps.credentials.values();
    if (only !== undefined && others.length === 0) return { server, credential: only };
    return this.#askCredential([server], title);
  }

  /** The tunnels of the selected rows, else the one that is picked. */
  async tunnels(
    { selection }: CommandInput,
    title: string,
    fits: (row: Row) => boolean = () => true,
  ): Promise<readonly TunnelTarget[] | undefined> {
    const given = selection.flatMap((node) => this.#tunnelOf(node));
    if (given.length > 0) return given;
    const choices = this.#tunnelNodes()
      .filter((node) => fits(this.#row(node)))
      .flatMap((node) => this.#tunnelOf(node).map((target) => ({ ...this.#choice(node), target })));
    if (choices.length === 0) return this.#nothing("There is no such tunnel open.");
    const picked = await ask(choices, title);
    return picked === undefined ? undefined : [picked];
  }

  /** The host that waits, of the rows, else the one that is picked. */
  async joins({ selection }: CommandInput, title: string): Promise<readonly JoinTarget[]> {
    const all = this.#fleet.servers.flatMap((server) =>
      [...server.mirror.maps.joins.values()].map((join) => ({ server, join })),
    );
    const given = all.filter(({ server, join }) =>
      selection.some(
        (node) => node.kind === "join" && node.serverKey === server.key && node.joinId === join.id,
      ),
    );
    if (given.length > 0) return given;
    const choices = all.map((target) => {
      const row = { kind: "join", serverKey: target.server.key, joinId: target.join.id } as const;
      return { ...this.#choice(this.#deps.nodes.get(row)), target };
    });
    if (choices.length === 0) this.#nothing("Nobody waits to be let in.");
    const picked = choices.length === 0 ? undefined : await ask(choices, title);
    return picked === undefined ? [] : [picked];
  }

  /** The secrets of the rows, else one that is picked from a credential's. */
  async secrets(input: CommandInput, title: string): Promise<readonly SecretTarget[]> {
    const given = input.selection.flatMap((node) => this.#secretOf(node));
    if (given.length > 0) return given;
    const [of] = (await this.credentials(input, "A secret of which credential?")) ?? [];
    if (of === undefined) return [];
    const { server, credential } = of;
    await server.secrets.load(credential.id);
    const choices = belowSecrets(this.#deps.nodes, server, credential.id).flatMap((node) =>
      this.#secretOf(node).map((target) => ({ ...this.#choice(node), target })),
    );
    if (choices.length === 0) this.#nothing(`${credential.id} has no secret.`);
    const picked = choices.length === 0 ? undefined : await ask(choices, title);
    return picked === undefined ? [] : [picked];
  }

  /** The pairing of the row, else the one that is picked. */
  async pairing({ node }: CommandInput, title: string): Promise<PairingTarget | undefined> {
    const all = this.#fleet.servers.flatMap((server) =>
      [...server.mirror.maps.pairings.values()]
        .filter((pairing) => isLiveOf(pairing, pairing.credential_id))
        .map((pairing) => ({ server, pairing })),
    );
    const given = all.find(
      ({ server, pairing }) =>
        node?.kind === "pairing" && node.serverKey === server.key && node.pairingId === pairing.id,
    );
    if (given !== undefined) return given;
    const choices = all.map((target) => {
      const { server, pairing } = target;
      const row = { kind: "pairing", serverKey: server.key, pairingId: pairing.id } as const;
      const { label, description } = this.#choice(this.#deps.nodes.get(row));
      return { label, description: `${pairing.credential_id}, ${description}`, target };
    });
    return choices.length === 0 ? this.#nothing("No pairing is open.") : ask(choices, title);
  }

  #askCredential(
    servers: readonly Server[],
    title: string,
    fits: (credential: Credential) => boolean = () => true,
  ) {
    const choices = servers.flatMap((server) =>
      [...server.mirror.maps.credentials.values()].filter(fits).map((credential) => {
        const parts = { kind: "credential", serverKey: server.key, authId: credential.id } as const;
        return { ...this.#choice(this.#deps.nodes.get(parts)), target: { server, credential } };
      }),
    );
    return choices.length === 0
      ? this.#nothing("There is no such credential.")
      : ask(choices, title);
  }

  get #fleet(): Fleet {
    return this.#deps.fleet;
  }

  #row(node: Node): Row {
    return rowOf(node, { fleet: this.#fleet, now: this.#deps.now });
  }

  #choice(node: Node) {
    const { label, description, icon } = this.#row(node);
    const server = this.#fleet.servers.length > 1 ? this.#fleet.get(node.serverKey)?.name : "";
    const words = [description, server].filter(Boolean).join(" \u00B7 ");
    const name = plainText(label);
    return {
      label: icon === undefined ? name : `$(${icon.name}) ${name}`,
      description: plainText(words),
    };
  }

  #clientOf(node: Node): readonly ClientTarget[] {
    if (node.kind !== "client") return [];
    const server = this.#fleet.get(node.serverKey);
    const client = server?.mirror.maps.clients.get(node.clientId);
    return server === undefined || client === undefined ? [] : [{ server, client }];
  }

  /** A row below a credential, such as a client's, stands for the credential. */
  #credentialOf(node: Node): readonly CredentialTarget[] {
    const server = this.#fleet.get(node.serverKey);
    const authId = credentialOf(node, server?.mirror);
    const credential =
      authId === undefined ? undefined : server?.mirror.maps.credentials.get(authId);
    return server === undefined || credential === undefined ? [] : [{ server, credential }];
  }

  #secretOf(node: Node): readonly SecretTarget[] {
    const server = this.#fleet.get(node.serverKey);
    if (server === undefined || node.kind !== "secret") return [];
    const secret = server.secrets.get(node.authId, node.secretId);
    return secret === undefined ? [] : [{ server, secret }];
  }

  #tunnelOf(node: Node): readonly TunnelTarget[] {
    const server = this.#fleet.get(node.serverKey);
    if (server === undefined) return [];
    if (node.kind === "localTunnel") {
      const tunnel = this.#fleet.tunnels.get(node.tunnelId);
      return tunnel === undefined ? [] : [{ kind: "local", server, tunnel }];
    }
    if (node.kind !== "serverTunnel") return [];
    const tunnel = server.mirror.maps.tunnels.get(node.tunnelKey);
    return tunnel === undefined ? [] : [{ kind: "server", server, tunnel }];
  }

  #tunnelNodes(): readonly Node[] {
    return this.#fleet.servers.flatMap(({ key, mirror }) => {
      const local = this.#fleet.tunnels.all.filter(({ serverKey }) => serverKey === key);
      const remote = [...mirror.maps.tunnels.values()].map((tunnel) => tunnel.client_id as string);
      const clients = new Set([...local.map(({ clientId }) => clientId), ...remote]);
      return [...clients].flatMap((clientId) => tunnelNodes(this.#deps, key, clientId));
    });
  }

  #nothing(message: string): undefined {
    void window.showInformationMessage(message);
    return undefined;
  }
}

function clientsOf(server: Server, status: Status | undefined): readonly ClientTarget[] {
  const statuses = status === undefined ? STATUSES : [status];
  return statuses
    .flatMap((each) => server.clients.withStatus(each))
    .flatMap((id) => {
      const client = server.mirror.maps.clients.get(id);
      return client === undefined ? [] : [{ server, client }];
    });
}

async function ask<T>(choices: readonly Choice<T>[], title: string): Promise<T | undefined> {
  const picked = await window.showQuickPick(choices, { title, matchOnDescription: true });
  return picked?.target;
}
