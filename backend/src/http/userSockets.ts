import { CLOSE_CODES, RportError } from "@rport/protocol/errors";
import { DIAL_PATH, EVENTS_PATH } from "@rport/protocol/http";
import { type WebSocket, WebSocketServer } from "ws";
import type { StreamOpener } from "../audit/editorEvents.ts";
import type { EventHub } from "../events/hub.ts";
import { serveEvents } from "../events/socket.ts";
import type { RawQuery } from "../lists/listSpec.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { refusal, type UserGate } from "../users/gate.ts";
import type { User } from "../users/tokens.ts";
import { keepAlive } from "./heartbeat.ts";
import type { PeerOf } from "./peerAddress.ts";
import { pathOf, rawQuery } from "./rawQuery.ts";
import { whyForeign } from "./siteGuard.ts";
import { refuseUpgrade, type UpgradeRequest } from "./upgrade.ts";

/** Largest message a user may send. */
const MESSAGE_MAX_BYTES = 1_048_576;
/** How long a socket that was told to close may take to agree. */
const CLOSE_GRACE_MS = 1_000;

/** Carries one editor tunnel over an open socket; `query` says where to, `opener` for whom. */
export type ServeDial = (socket: WebSocket, query: RawQuery, opener: StreamOpener) => void;

/** What the users' sockets need. */
export interface UserSocketsDeps {
  readonly gate: UserGate;
  readonly peerOf: PeerOf;
  readonly hub: EventHub;
  readonly serveDial: ServeDial;
  readonly clock: Clock;
  readonly log: Log;
}

/** The WebSockets of users: events and editor tunnels. Authenticated before they are granted. */
export class UserSockets {
  readonly #deps: UserSocketsDeps;
  readonly #open = new Set<WebSocket>();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_MAX_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });
  #isClosed = false;

  constructor(deps: UserSocketsDeps) {
    this.#deps = deps;
  }

  /** Whether a path is one of ours. */
  serves(target: string): boolean {
    return [EVENTS_PATH, DIAL_PATH].includes(pathOf(target));
  }

  /** Grants or refuses a socket. In local mode `localPort` is the port that is listened on. */
  upgrade(upgrade: UpgradeRequest, localPort: number | undefined): void {
    const { request, socket, head } = upgrade;
    const foreign = whyForeign(request, localPort);
    if (foreign !== undefined) {
      refuseUpgrade(upgrade, new RportError("FORBIDDEN", foreign));
      return;
    }
    const query = readQuery(upgrade);
    const user = query === undefined ? undefined : this.#admit(upgrade, query);
    if (query === undefined || user === undefined) return;
    if (this.#isClosed) {
      refuseUpgrade(upgrade, new RportError("UNAVAILABLE", "The server is stopping."));
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (granted) => {
      const path = pathOf(request.url ?? "");
      const { address } = this.#deps.peerOf(request);
      this.#deps.log.info("user socket opened", { path, address, user: user.name });
      this.#own(granted, user);
      if (path === EVENTS_PATH) serveEvents(granted, this.#deps.hub);
      else this.#deps.serveDial(granted, query, { user: user.name, address });
    });
  }

  /** Tells every socket that the server stops. Grants no further ones. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#open) this.#end(socket, CLOSE_CODES.stopping, "stopping");
  }

  #admit(upgrade: UpgradeRequest, { access_token: token }: RawQuery): User | undefined {
    const { gate, peerOf } = this.#deps;
    const result = gate.admit({
      address: peerOf(upgrade.request).address,
      authorization: upgrade.request.headers.authorization,
      accessToken: typeof token === "string" ? token : undefined,
    });
    if (result.kind === "user") return result.user;
    refuseUpgrade(upgrade, refusal(result.retryAfterS), result.retryAfterS);
    return undefined;
  }

  #own(socket: WebSocket, user: User): void {
    const onRevoked = (): void => this.#end(socket, CLOSE_CODES.unauthorized, "token revoked");
    user.revoked.addEventListener("abort", onRevoked, { once: true });
    this.#open.add(socket);
    keepAlive(socket, this.#deps.clock);
    socket.on("error", (error) => {
      this.#deps.log.debug("user socket failed", { reason: error.message, user: user.name });
    });
    socket.once("close", () => {
      this.#open.delete(socket);
      user.revoked.removeEventListener("abort", onRevoked);
    });
  }

  #end(socket: WebSocket, code: number, reason: string): void {
    socket.close(code, reason);
    const timer: Timer = this.#deps.clock.after(CLOSE_GRACE_MS, () => socket.terminate());
    socket.once("close", () => timer.cancel());
  }
}

function readQuery(upgrade: UpgradeRequest): RawQuery | undefined {
  try {
    return rawQuery(upgrade.request.url ?? "");
  } catch (error) {
    refuseUpgrade(upgrade, RportError.from(error));
    return undefined;
  }
}
