import type { Client, Credential } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { displayName, STATUSES, type Status, statusOf } from "../../model/arrange.ts";
import type { Node } from "../../model/node.ts";
import { stateText } from "../../model/rows/serverRow.ts";
import type {
  ClientTarget,
  CredentialTarget,
  JoinTarget,
  PairingTarget,
  SecretTarget,
  TunnelTarget,
} from "../../servers/entities.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import { inertLine, plainText } from "../../support/text.ts";
import { belowSecrets, isLiveOf } from "../../views/credentialNodes.ts";
import type { RowContext } from "../../views/rowContext.ts";
import { rowOf } from "../../views/rows.ts";
import { type SourceDeps, tunnelNodes } from "../../views/source.ts";
import type { CommandInput } from "../registry.ts";
import { chosenOf, type Wanted } from "./chosen.ts";
import { EntityOf, type Groups } from "./entityOf.ts";
import { NOUNS, type Noun } from "./nouns.ts";
import { type Choice, nothing, pick, rowChoice } from "./rowPick.ts";

/** What turning rows into entities needs. */
export interface TargetsDeps extends SourceDeps {
  readonly groups: Groups;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What is asked for when no row says it. */
interface Asked {
  readonly title: string;
  readonly noun: Noun;
}

/** What a command wants. */
export interface Question<T> extends Asked {
  /** Which ones the command is for; all when it is left out. */
  readonly fits?: (entity: T) => boolean;
}

/** A question about clients, of which `status` says where to look. */
export interface ClientQuestion extends Asked {
  readonly status?: Status;
  readonly fits?: (client: Client, server: Server) => boolean;
}

/** How rows become targets of one kind, and which rows are offered when none is given. */
interface Kind<T> {
  readonly of: (node: Node) => T | undefined;
  readonly entity: (target: T) => unknown;
  readonly fits: (target: T) => boolean;
  readonly offered: () => readonly Node[] | Promise<readonly Node[]>;
  /** What a target belongs to, where its own row does not say it. */
  readonly above?: (target: T) => string;
}

/** Turns what a command was called on into entities, and asks with a list when it is nothing. */
export class Targets {
  readonly #deps: TargetsDeps;
  readonly #rows: RowContext;
  readonly #entityOf: EntityOf;

  constructor(deps: TargetsDeps) {
    this.#deps = deps;
    this.#rows = { fleet: deps.fleet, now: deps.now, groups: deps.groups };
    this.#entityOf = new EntityOf(deps.fleet, deps.groups);
  }

  /** The server; asks only when there are several that fit. */
  async server(
    { node }: CommandInput,
    title: string,
    fits: (server: Server) => boolean = () => true,
  ): Promise<Server | undefined> {
    const given = node === undefined ? undefined : this.#fleet.get(node.serverKey);
    if (given !== undefined && fits(given)) return given;
    const servers = this.#fleet.servers.filter(fits);
    if (servers.length <= 1) return servers[0] ?? nothing(t("There is no server to choose."));
    const choices = servers.map((server) => ({
      label: plainText(server.name),
      description: plainText(stateText(server.state)),
      target: server,
    }));
    return pick(choices, title);
  }

  /** The clients of the selected rows, else the one that is picked; undefined when none is. */
  clients(
    input: CommandInput,
    asked: ClientQuestion,
  ): Promise<readonly ClientTarget[] | undefined> {
    return this.#many(input, asked, this.#clientKind(asked));
  }

  /** The client of the row, else the one that is picked. */
  client(input: CommandInput, asked: ClientQuestion): Promise<ClientTarget | undefined> {
    return this.#one(input, asked, this.#clientKind(asked));
  }

  /** The credentials of the selected rows, else the one that is picked. */
  credentials(
    input: CommandInput,
    asked: Question<Credential>,
  ): Promise<readonly CredentialTarget[] | undefined> {
    return this.#many(input, asked, this.#credentialKind(asked, this.#fleet.servers));
  }

  /** The credential of the row, or of what is below it, else the one that is picked. */
  credential(
    input: CommandInput,
    asked: Question<Credential>,
  ): Promise<CredentialTarget | undefined> {
    return this.#one(input, asked, this.#credentialKind(asked, this.#fleet.servers));
  }

  /** A credential of this server: the only one, or the one that is picked. */
  async credentialOf(server: Server, title: string): Promise<CredentialTarget | undefined> {
    const [only, ...others] = server.mirror.maps.credentials.values();
    if (only !== undefined && others.length === 0) return { server, credential: only };
    const asked = { title, noun: NOUNS.credential };
    return this.#ask(asked, this.#credentialKind(asked, [server]));
  }

  /** The tunnels of the selected rows, else the one that is picked. */
  tunnels(
    input: CommandInput,
    asked: Question<TunnelTarget>,
  ): Promise<readonly TunnelTarget[] | undefined> {
    return this.#many(input, asked, this.#tunnelKind(asked));
  }

  /** The tunnel of the row, else the one that is picked. */
  tunnel(input: CommandInput, asked: Question<TunnelTarget>): Promise<TunnelTarget | undefined> {
    return this.#one(input, asked, this.#tunnelKind(asked));
  }

  /** The hosts that wait, of the rows, else the one that is picked. */
  joins(input: CommandInput, title: string): Promise<readonly JoinTarget[] | undefined> {
    const { nodes } = this.#deps;
    const asked = { title, noun: NOUNS.waitingClient };
    return this.#many(input, asked, {
      of: (node) => this.#entityOf.join(node),
      entity: ({ join }) => join,
      fits: () => true,
      offered: () =>
        this.#fleet.servers.flatMap(({ key: serverKey, mirror }) =>
          [...mirror.maps.joins.keys()].map((joinId) =>
            nodes.get({ kind: "join", serverKey, joinId }),
          ),
        ),
    });
  }

  /** The secrets of the rows, else one that is picked from a credential's. */
  async secrets(input: CommandInput, title: string): Promise<readonly SecretTarget[] | undefined> {
    const asked = { title, noun: NOUNS.secret };
    const offered = async (): Promise<readonly Node[]> => {
      const which = { title: t("A secret of which credential?"), noun: NOUNS.credential };
      const of = await this.credential(input, which);
      if (of === undefined) return [];
      const { server, credential } = of;
      await server.secrets.load(credential.id);
      return belowSecrets(this.#deps.nodes, server, credential.id);
    };
    return this.#many(input, asked, {
      of: (node) => this.#entityOf.secret(node),
      entity: ({ secret }) => secret,
      fits: () => true,
      offered,
    });
  }

  /** The pairing of the row, else the one that is picked. */
  pairing(input: CommandInput, title: string): Promise<PairingTarget | undefined> {
    const { nodes } = this.#deps;
    return this.#one(
      input,
      { title, noun: NOUNS.pairing },
      {
        of: (node) => this.#entityOf.pairing(node),
        entity: ({ pairing }) => pairing,
        fits: ({ pairing }) => isLiveOf(pairing, pairing.credential_id),
        above: ({ pairing }) => pairing.credential_id,
        offered: () =>
          this.#fleet.servers.flatMap(({ key: serverKey, mirror }) =>
            [...mirror.maps.pairings.keys()].map((pairingId) =>
              nodes.get({ kind: "pairing", serverKey, pairingId }),
            ),
          ),
      },
    );
  }

  get #fleet(): Fleet {
    return this.#deps.fleet;
  }

  #clientKind({ status, fits }: ClientQuestion): Kind<ClientTarget> {
    const { nodes } = this.#deps;
    const statuses = status === undefined ? STATUSES : [status];
    return {
      of: (node) => this.#entityOf.client(node),
      entity: ({ client }) => client,
      fits: ({ client, server }) =>
        (status === undefined || statusOf(client) === status) && (fits?.(client, server) ?? true),
      offered: () =>
        this.#fleet.servers.flatMap(({ key: serverKey, clients }) =>
          statuses.flatMap((each) =>
            clients
              .withStatus(each)
              .map((clientId) =>
                nodes.get({ kind: "client", serverKey, clientId, place: "clients" }),
              ),
          ),
        ),
    };
  }

  #credentialKind(
    { fits }: Question<Credential>,
    servers: readonly Server[],
  ): Kind<CredentialTarget> {
    const { nodes } = this.#deps;
    return {
      of: (node) => this.#entityOf.credential(node),
      entity: ({ credential }) => credential,
      fits: ({ credential }) => fits?.(credential) ?? true,
      offered: () =>
        servers.flatMap(({ key: serverKey, mirror }) =>
          [...mirror.maps.credentials.keys()].map((authId) =>
            nodes.get({ kind: "credential", serverKey, authId }),
          ),
        ),
    };
  }

  #tunnelKind({ fits = () => true }: Question<TunnelTarget>): Kind<TunnelTarget> {
    return {
      of: (node) => this.#entityOf.tunnel(node),
      entity: ({ tunnel }) => tunnel,
      fits,
      offered: () =>
        this.#fleet.servers.flatMap(({ key, mirror }) => {
          const local = this.#fleet.tunnels.all.filter(({ serverKey }) => serverKey === key);
          const remote = [...mirror.maps.tunnels.values()].map(({ client_id: id }): string => id);
          const clients = new Set([...local.map(({ clientId }) => clientId), ...remote]);
          return [...clients].flatMap((clientId) => tunnelNodes(this.#deps, key, clientId));
        }),
    };
  }

  async #many<T>(
    input: CommandInput,
    asked: Asked,
    kind: Kind<T>,
  ): Promise<readonly T[] | undefined> {
    const chosen = chosenOf(input, this.#wanted(asked, kind, true));
    if (chosen.kind === "targets") return chosen.targets;
    if (chosen.kind === "refused") return nothing(chosen.why);
    const picked = await this.#ask(asked, kind);
    return picked === undefined ? undefined : [picked];
  }

  async #one<T>(input: CommandInput, asked: Asked, kind: Kind<T>): Promise<T | undefined> {
    const chosen = chosenOf(input, this.#wanted(asked, kind, false));
    if (chosen.kind === "targets") return chosen.targets[0];
    if (chosen.kind === "refused") return nothing(chosen.why);
    const { among } = chosen;
    return this.#ask(asked, among === undefined ? kind : { ...kind, offered: () => among });
  }

  #wanted<T>({ noun }: Asked, { of, entity, fits }: Kind<T>, isMany: boolean): Wanted<T> {
    const nameOf = (node: Node) => this.#nameOf(node);
    const within = (node: Node) => this.#entityOf.hosts(node);
    return { noun, of, entity, fits, isMany, nameOf, within };
  }

  async #ask<T>({ title, noun }: Asked, kind: Kind<T>): Promise<T | undefined> {
    const rows = await kind.offered();
    const choices = rows.flatMap((node): Choice<T>[] => {
      const target = kind.of(node);
      const isOffered = target !== undefined && kind.fits(target);
      if (!isOffered) return [];
      const above = kind.above?.(target) ?? "";
      return [rowChoice(node, { target, above }, this.#rows)];
    });
    return choices.length === 0 ? nothing(t("There is no {0}.", noun.one)) : pick(choices, title);
  }

  #nameOf(node: Node): string {
    const client = this.#entityOf.client(node)?.client;
    return inertLine(client === undefined ? rowOf(node, this.#rows).label : displayName(client));
  }
}
