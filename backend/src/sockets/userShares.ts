import type { Duplex } from "node:stream";
import { Holdings } from "../limits/holdings.ts";
import type { Limits } from "../limits/limits.ts";
import type { LimitName } from "../limits/limitTable.ts";
import type { Sharer } from "../limits/sharer.ts";

/** One user has this part of all connections at the most. */
const USER_PART = 4;
/** All users who are no administrators have this part of all connections at the most, together. */
const USERS_PART = 2;
/** Of one user's connections, streams leave this part free: requests and events still come in. */
const ASKING_PART = 4;
/** Stands for all of them. */
const ORDINARY = "ordinary";

/** A user who shows a token. */
export interface UserSharer extends Sharer {
  readonly isAdministrator: boolean;
}

/**
 * What a user's connection is from now on. On one for `requests` others may ask next; one for `events` and a `stream`
 * are the user's own, and of streams, such as tunnels to an editor, whoever may use those opens as many as they like.
 */
export type SocketUse = "requests" | "events" | "stream";

/** What the shares are counted with. */
interface UserSharesDeps {
  readonly limits: Pick<Limits, "max">;
  /** Whether one more of a user who is no administrator leaves enough free, whoever has the others. */
  readonly leavesRoom: (socket: Duplex) => boolean;
}

/** Which connections are which user's. */
export class UserShares {
  readonly #deps: UserSharesDeps;
  readonly #users = new Holdings<Duplex>();
  /** Those of them that carry a stream. */
  readonly #streams = new Holdings<Duplex>();
  /** Those of users who are no administrators, all as of one. */
  readonly #ordinary = new Holdings<Duplex>();

  constructor(deps: UserSharesDeps) {
    this.#deps = deps;
  }

  /** The connection is the user's from now on; answers the limit that forbids it, and then it is not. */
  take(socket: Duplex, user: UserSharer, use: SocketUse): LimitName | undefined {
    const { accountId, isAdministrator } = user;
    if (!this.#hasOwnRoom(socket, accountId, use)) return "sockets_per_user";
    if (!isAdministrator && !this.#hasOrdinaryRoom(socket)) return "sockets";
    this.#users.take(socket, accountId);
    if (use === "stream") this.#streams.take(socket, accountId);
    if (isAdministrator) this.#ordinary.leave(socket);
    else this.#ordinary.take(socket, ORDINARY);
    return undefined;
  }

  /** The connection is nobody's any more. */
  leave(socket: Duplex): void {
    for (const holdings of [this.#users, this.#streams, this.#ordinary]) holdings.leave(socket);
  }

  #hasOwnRoom(socket: Duplex, accountId: string, use: SocketUse): boolean {
    const { limits } = this.#deps;
    const all = Math.floor(limits.max("sockets") / USER_PART);
    const most = Math.min(limits.max("sockets_per_user"), all);
    if (!this.#users.hasRoom(socket, accountId, most)) return false;
    const mostStreams = most - Math.floor(most / ASKING_PART);
    return use !== "stream" || this.#streams.hasRoom(socket, accountId, mostStreams);
  }

  /** Whether one more may make room for nobody in the name of a user who is no administrator. */
  #hasOrdinaryRoom(socket: Duplex): boolean {
    const { limits, leavesRoom } = this.#deps;
    const most = Math.floor(limits.max("sockets") / USERS_PART);
    return this.#ordinary.hasRoom(socket, ORDINARY, most) && leavesRoom(socket);
  }
}
