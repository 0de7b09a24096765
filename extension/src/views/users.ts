import type { Swap } from "../model/mirror.ts";
import { naturalKey } from "../model/naturalKey.ts";
import type { Node } from "../model/node.ts";
import { userLabel } from "../model/rows/userRow.ts";
import type { FleetChange } from "../servers/fleet.ts";
import { ALL_INVITATIONS } from "../servers/people.ts";
import type { Server } from "../servers/server.ts";
import { hasUsers } from "./context.ts";
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

/** The "Users" view of administrators: users, below each its tokens and sessions; invitations. */
export class UsersSource implements TreeSource {
  readonly #deps: SourceDeps;

  constructor(deps: SourceDeps) {
    this.#deps = deps;
  }

  roots(): readonly Node[] {
    return rootsOf(this.#deps, (server) => this.#below(server));
  }

  children(node: Node): readonly Node[] {
    const { fleet, nodes } = this.#deps;
    const server = fleet.get(node.serverKey);
    if (server === undefined) return [];
    const { serverKey } = node;
    if (node.kind === "server") return this.#below(server);
    if (node.kind === "user") {
      const { userName } = node;
      const list = server.people.access.of(userName);
      return list.map(({ id }) => nodes.get({ kind: "access", serverKey, userName, accessId: id }));
    }
    if (node.kind !== "invitations") return [];
    const list = server.people.invitations.of(ALL_INVITATIONS);
    return list.map(({ id }) => nodes.get({ kind: "invitation", serverKey, invitationId: id }));
  }

  load(node: Node): Promise<void> | undefined {
    const people = this.#deps.fleet.get(node.serverKey)?.people;
    if (node.kind === "user") return people?.access.load(node.userName);
    return node.kind === "invitations" ? people?.invitations.load(ALL_INVITATIONS) : undefined;
  }

  parent(node: Node): Node | undefined {
    const { serverKey } = node;
    const { nodes } = this.#deps;
    if (node.kind === "access") {
      return nodes.get({ kind: "user", serverKey, userName: node.userName });
    }
    if (node.kind === "invitation") return nodes.get({ kind: "invitations", serverKey });
    return node.kind === "server" ? undefined : serverNode(this.#deps, serverKey);
  }

  affected(event: FleetChange): readonly Dirty[] {
    if (event.kind === "servers") return ALL;
    if (event.kind === "localTunnel") return [];
    const { server, change } = event;
    if (change.kind === "state") return stateDirty(this.#deps, server.key);
    if (change.kind === "reset") return serverDirty(this.#deps, server.key);
    return change.changes.flatMap(({ change: each }) =>
      each.entity === "user" ? this.#userChanged(server, each) : [],
    );
  }

  #userChanged({ key: serverKey }: Server, change: Swap<"user">): readonly Dirty[] {
    const { before, after, id: userName } = change;
    const { nodes } = this.#deps;
    // a new user has accepted an invitation, perhaps
    if (before === undefined || after === undefined) return serverDirty(this.#deps, serverKey);
    const node = nodes.find({ kind: "user", serverKey, userName });
    if (node === undefined) return [];
    const isSame = before.tokens === after.tokens && before.sessions === after.sessions;
    return [{ kind: isSame ? "row" : "subtree", node }];
  }

  #below(server: Server): readonly Node[] {
    if (!hasUsers(server)) return [];
    const { nodes } = this.#deps;
    const { key: serverKey, mirror } = server;
    const keyed = [...mirror.maps.users.values()].map((user) => ({
      userName: user.username,
      key: naturalKey(userLabel(user)),
    }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
    return [
      ...keyed.map(({ userName }) => nodes.get({ kind: "user", serverKey, userName })),
      nodes.get({ kind: "invitations", serverKey }),
    ];
  }
}
