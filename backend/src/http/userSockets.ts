import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { CLOSE_CODES, RportError } from "@rport/protocol/errors";
import { API_PREFIX, DIAL_PATH } from "@rport/protocol/http";
import { contain, guarded } from "@rport/protocol/wire/contain";
import { type WebSocket, WebSocketServer } from "ws";
import type { Limits } from "../limits/limits.ts";
import type { RawQuery } from "../lists/listSpec.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { endingFault } from "../platform/faults.ts";
import { errorText, type Log } from "../platform/log.ts";
import type { LogBursts } from "../platform/logBursts.ts";
import { UnfinishedMessages } from "../sockets/unfinishedMessages.ts";
import type { SocketUse } from "../sockets/userShares.ts";
import type { SocketCounts } from "../users/accounts/socketCounts.ts";
import type { Actor } from "../users/actor.ts";
import { refusal, tooManyConnections, type UserGate } from "../users/gate.ts";
import { requireSocket } from "../users/rights.ts";
import type { PeerOf } from "./caller/peerAddress.ts";
import { type LocalMode, whyForeign } from "./caller/siteGuard.ts";
import { keepAlive } from "./heartbeat.ts";
import { pathOf, rawQuery, unknownParameters } from "./rawQuery.ts";
import { refuseUpgrade, type UpgradeDoor, type UpgradeRequest } from "./upgrade.ts";
import type { SocketEnd, UserCall, UserRoute } from "./userRoutes.ts";

/** How long a socket that was told to close may take to agree. */
const CLOSE_GRACE_MS = 500;
/** Changes of who sees which clients are gathered this long; thousands may change at once. */
const GATHER_MS = 100;
const NO_SOCKET = new RportError("NOT_FOUND", "There is no WebSocket here.");
/** The library's codes for a message that is longer, or in more pieces, than it may be. */
const TOO_MUCH: readonly unknown[] = [
  "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
  "WS_ERR_TOO_MANY_BUFFERED_PARTS",
];
/** Close code of RFC 6455 for what went wrong here. */
const INTERNAL_ERROR = 1011;
/** The same for what breaks a rule of this server. */
const POLICY_VIOLATION = 1008;
/** Pieces that one message of an editor to a host may come in: the library's own number. */
const FRAGMENTS_MAX = 16 << 10;

/** What the users' sockets need. */
export interface UserSocketsDeps {
  readonly gate: UserGate;
  readonly peerOf: PeerOf;
  readonly routes: readonly UserRoute[];
  /**
   * A connection showed a valid token of the user, whose own it is from now on, for this use; false:
   * they have too many already.
   */
  readonly onUser: (socket: Duplex, user: Actor, use?: SocketUse) => boolean;
  /** A socket of theirs is open until the answer is called. */
  readonly counts: Pick<SocketCounts, "open">;
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  readonly clock: Clock;
  /** Takes the lines that anybody can cause. */
  readonly strangers: Pick<LogBursts, "note">;
  readonly log: Log;
}

const OPENED = { level: "info", message: "user socket opened" } as const;

/** The WebSockets of users. Whoever opens one is known before it is granted. */
export class UserSockets {
  readonly #deps: UserSocketsDeps;
  /** Each with what says why it has to end, once it has. */
  readonly #open = new Map<WebSocket, () => SocketEnd | undefined>();
  #gathering: Timer | undefined;
  /** Messages of each route have a length of their own. */
  readonly #servers = new Map<UserRoute, WebSocketServer>();
  readonly #unfinished: UnfinishedMessages;
  #isClosed = false;

  constructor(deps: UserSocketsDeps) {
    this.#deps = deps;
    this.#unfinished = new UnfinishedMessages(deps.limits);
    for (const route of deps.routes) this.#servers.set(route, serverOf(route, deps));
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * A door for each route, and one for whatever else begins as they do: whether there is something
   * is told to users only. `localMode` answers where only this machine reaches the place.
   */
  doors(localMode: () => LocalMode | undefined): UpgradeDoor[] {
    const served = this.#deps.routes.map((route) => ({
      takes: ({ url = "" }: IncomingMessage) => pathOf(url) === route.path,
      upgrade: (upgrade: UpgradeRequest) => this.#upgrade(upgrade, route, localMode()),
    }));
    const others = {
      takes: ({ url = "" }: IncomingMessage) => `${pathOf(url)}/`.startsWith(`${API_PREFIX}/`),
      upgrade: (upgrade: UpgradeRequest) => this.#upgrade(upgrade, undefined, localMode()),
    };
    return [...served, others];
  }

  /** Somebody may do or see something else now: ends every socket that may not be open any more. */
  review(): void {
    for (const [socket, whyEnd] of [...this.#open]) {
      const end = socket.readyState === socket.OPEN ? whyEnd() : undefined;
      if (end !== undefined) this.#end(socket, end.code, end.reason);
    }
  }

  /** The same in a moment, once for many changes. */
  reviewSoon(): void {
    this.#gathering ??= this.#deps.clock.after(GATHER_MS, () => {
      this.#gathering = undefined;
      this.review();
    });
  }

  /** Tells every socket that the server stops. Grants no further ones. */
  close(): void {
    this.#isClosed = true;
    this.#gathering?.cancel();
    for (const socket of this.#open.keys()) this.#end(socket, CLOSE_CODES.stopping, "stopping");
  }

  async #upgrade(
    upgrade: UpgradeRequest,
    route: UserRoute | undefined,
    localMode: LocalMode | undefined,
  ): Promise<void> {
    const { request } = upgrade;
    const foreign = whyForeign(request, localMode);
    if (foreign !== undefined) {
      refuseUpgrade(upgrade, new RportError("FORBIDDEN", foreign));
      return;
    }
    const query = readQuery(upgrade);
    const actor = query === undefined ? undefined : await this.#admit(upgrade, query);
    if (query === undefined || actor === undefined) return;
    const use = route?.isOneWay === false ? "stream" : "events";
    const isOne = this.#deps.onUser(upgrade.socket, actor, use);
    const reason = isOne ? this.#whyNot(route, actor, query) : tooManyConnections();
    if (route === undefined || reason !== undefined) {
      refuseUpgrade(upgrade, reason ?? NO_SOCKET);
      return;
    }
    const { address } = this.#deps.peerOf(request);
    this.#grant(upgrade, route, { actor, user: actor.name, address, query });
  }

  #grant({ request, socket, head }: UpgradeRequest, route: UserRoute, call: UserCall): void {
    const onFault = endingFault(this.#deps.log, "a user's socket", () => socket.destroy());
    const serve = (granted: WebSocket): Promise<void> => {
      contain(granted, onFault);
      const whyEnd = watched(route, call);
      this.#own({ socket: granted, actor: call.actor, route, whyEnd });
      return this.#serve(granted, route, call);
    };
    this.#servers.get(route)?.handleUpgrade(request, socket, head, guarded(onFault, serve));
  }

  #whyNot(route: UserRoute | undefined, actor: Actor, query: RawQuery): RportError | undefined {
    if (route === undefined) return NO_SOCKET;
    const unknown = Object.keys(query).filter((name) => !isTaken(name, route));
    if (unknown.length > 0) return new RportError("BAD_REQUEST", unknownParameters(unknown));
    if (actor.ended.aborted) return new RportError("UNAUTHORIZED", "This token was ended.");
    if (this.#isClosed) return new RportError("UNAVAILABLE", "The server is stopping.");
    return whyRefused(actor, route);
  }

  async #serve(socket: WebSocket, { path, serve }: UserRoute, call: UserCall): Promise<void> {
    const { strangers, log } = this.#deps;
    const { actor, user, address } = call;
    strangers.note({ ...OPENED, log, address, user: actor, fields: { path, address, user } });
    try {
      await serve(socket, call);
    } catch (error) {
      log.error("user socket could not be served", { path, user, reason: errorText(error) });
      this.#end(socket, INTERNAL_ERROR, "internal error");
    }
  }

  async #admit(
    upgrade: UpgradeRequest,
    { access_token: token }: RawQuery,
  ): Promise<Actor | undefined> {
    const { gate, peerOf } = this.#deps;
    const { address, isShared } = peerOf(upgrade.request);
    const result = await gate.admit({
      address,
      isShared,
      connection: upgrade.request.socket,
      authorization: upgrade.request.headers.authorization,
      accessToken: typeof token === "string" ? token : undefined,
    });
    if (result.kind === "actor") return result.actor;
    refuseUpgrade(upgrade, refusal(result));
    return undefined;
  }

  #own({ socket, actor, route, whyEnd }: Granted): void {
    const onRevoked = guarded(
      endingFault(this.#deps.log, "a user's socket", () => socket.terminate()),
      () => this.#end(socket, CLOSE_CODES.unauthorized, "token revoked"),
    );
    actor.ended.addEventListener("abort", onRevoked, { once: true });
    this.#open.set(socket, whyEnd);
    const leave = this.#deps.counts.open(actor, route.path === DIAL_PATH);
    this.#unfinished.watch(socket, actor);
    keepAlive(socket, this.#deps.clock);
    if (route.isOneWay) socket.once("message", () => this.#endTalker(socket, route, actor));
    socket.on("error", (error: Error & { readonly code?: string }) => {
      const { limits } = this.#deps;
      if (TOO_MUCH.includes(error.code)) limits.bite(route.messageBytes, { user: actor.name });
      this.#cutSoon(socket);
      this.#deps.log.debug("user socket failed", { reason: error.message, user: actor.name });
    });
    socket.once("close", () => {
      this.#open.delete(socket);
      leave();
      actor.ended.removeEventListener("abort", onRevoked);
    });
  }

  /** Nothing more is read of whoever speaks where nothing is to be said. */
  #endTalker(socket: WebSocket, { messageBytes, path }: UserRoute, { name: user }: Actor): void {
    this.#deps.limits.bite(messageBytes, { user, path });
    this.#end(socket, POLICY_VIOLATION, "there is nothing to say on this socket");
    socket.pause();
  }

  /** What it says while it agrees to the end is heard by nobody. */
  #end(socket: WebSocket, code: number, reason: string): void {
    socket.removeAllListeners("message");
    socket.close(code, reason);
    this.#cutSoon(socket);
  }

  /** Who does not agree to the end in time is not waited for. */
  #cutSoon(socket: WebSocket): void {
    const timer: Timer = this.#deps.clock.after(CLOSE_GRACE_MS, () => socket.terminate());
    socket.once("close", () => timer.cancel());
  }
}

function serverOf(
  { messageBytes, isOneWay }: UserRoute,
  { limits }: UserSocketsDeps,
): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload: limits.max(messageBytes),
    // Pieces without content would go on for ever otherwise.
    maxFragments: isOneWay ? 1 : FRAGMENTS_MAX,
    perMessageDeflate: false,
    clientTracking: false,
  });
}

/** A socket that was granted. */
interface Granted {
  readonly socket: WebSocket;
  readonly actor: Actor;
  readonly route: UserRoute;
  readonly whyEnd: () => SocketEnd | undefined;
}

/** Why a socket of the route may be open no longer: the right is gone, or what it leads to. */
function watched(route: UserRoute, call: UserCall): () => SocketEnd | undefined {
  const whyEnd = route.watch(call);
  return () => {
    const refused = whyRefused(call.actor, route);
    if (refused === undefined) return whyEnd();
    return { code: CLOSE_CODES.refused, reason: refused.message };
  };
}

function whyRefused(actor: Actor, { right }: UserRoute): RportError | undefined {
  try {
    requireSocket(actor, right);
    return undefined;
  } catch (caught) {
    return RportError.from(caught);
  }
}

function isTaken(name: string, { parameters }: UserRoute): boolean {
  return name === "access_token" || parameters.includes(name);
}

function readQuery(upgrade: UpgradeRequest): RawQuery | undefined {
  try {
    return rawQuery(upgrade.request.url ?? "");
  } catch (error) {
    refuseUpgrade(upgrade, RportError.from(error));
    return undefined;
  }
}
