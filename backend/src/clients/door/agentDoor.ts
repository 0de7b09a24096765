import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type HostKey, sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import {
  serverTransport,
  type Transport,
  type TransportLimits,
} from "@rport/protocol/wire/transport";
import { WireError, type WireErrorKind } from "@rport/protocol/wire/wireError";
import { type WebSocket, WebSocketServer } from "ws";
import type { AcceptedLogin } from "../../credentials/admission/verdicts.ts";
import { networkOf } from "../../platform/network.ts";
import { type DoorCounters, newDoorCounters } from "../doorCounters.ts";
import { AgentSession } from "../session/agentSession.ts";
import type { SessionDeps } from "../session/sessionDeps.ts";
import { HandshakePace } from "./handshakePace.ts";
import { KnownNetworks } from "./knownNetworks.ts";
import { type LoginChecker, LoginGate, type LoginOrigin, type Verdict } from "./loginGate.ts";
import { Penalties } from "./penalties.ts";
import { type NoPlace, PendingSocket, PendingSockets } from "./pendingSockets.ts";

/** The subprotocol of agents, byte for byte; a list with more in it is another one. */
const SUBPROTOCOL = "rport-v1";
/** One WebSocket message before the login; it grows to 16 MiB with the login. */
const MESSAGE_BEFORE_LOGIN_BYTES = 64 << 10;
const FRAGMENTS_BEFORE_LOGIN = 1_024;
/**
 * Sockets that have not signed in: in total, and from one network. A site behind NAT comes back all
 * at once after a restart; a quarter of the room is enough for it to be back within seconds, and
 * leaves room for others beside a peer that only holds sockets.
 */
const PENDING_MAX = 1_024;
const PENDING_PER_ADDRESS_MAX = 256;
/** How a request is answered for which there is no place, and when to come again. */
const NO_PLACE = {
  crowded: "429 Too Many Requests",
  full: "503 Service Unavailable",
} as const satisfies Readonly<Record<NoPlace, string>>;
const BUSY_RETRY_S = 1;
/** Ends that a peer brings about which does not speak our protocol. */
const RUDE: ReadonlySet<WireErrorKind> = new Set(["protocol", "limit"]);
/** Idle connections are probed by the system after this, so that dead ones do not stay for ever. */
const KEEP_ALIVE_MS = 60_000;

/** An upgrade request as the HTTP server gives it. */
export interface AgentUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Where the agent connects from. */
  readonly address: string;
  /** Others may have the same address: they come through a proxy that we were not told of. */
  readonly isShared?: boolean;
}

/** What the door needs. */
export interface AgentDoorDeps
  extends Omit<SessionDeps, "credentials" | "counters" | "serverFingerprint"> {
  readonly credentials: SessionDeps["credentials"] & LoginChecker;
  readonly hostKey: HostKey;
  readonly pendingMax?: number;
  readonly pendingPerAddressMax?: number;
  readonly transportLimits?: Partial<TransportLimits> | undefined;
}

/**
 * Where agents come in: WebSocket upgrades with RPort's subprotocol, then SSH. Holds the limits for
 * those who have not shown yet that they belong here.
 */
export class AgentDoor {
  readonly counters: DoorCounters = newDoorCounters();
  readonly #deps: AgentDoorDeps;
  readonly #serverFingerprint: string;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BEFORE_LOGIN_BYTES,
    maxFragments: FRAGMENTS_BEFORE_LOGIN,
    // RPort's server does not repeat the subprotocol.
    handleProtocols: () => false,
  });
  readonly #known: KnownNetworks;
  readonly #pending: PendingSockets;
  readonly #pace: HandshakePace;
  readonly #penalties: Penalties;
  readonly #gate: LoginGate;
  readonly #transports = new Set<Transport>();
  #isClosed = false;

  constructor(deps: AgentDoorDeps) {
    const { clock, registry } = deps;
    this.#deps = deps;
    this.#serverFingerprint = sha256Fingerprint(deps.hostKey.getPublicSSH());
    this.#known = new KnownNetworks(clock, registry.list());
    const isKnown = (network: string): boolean => this.#known.has(network);
    const { pendingMax: max = PENDING_MAX, pendingPerAddressMax = PENDING_PER_ADDRESS_MAX } = deps;
    this.#pending = new PendingSockets({
      max,
      perNetworkMax: pendingPerAddressMax,
      isKnown,
      clock,
    });
    this.#pace = new HandshakePace(clock);
    this.#penalties = new Penalties({ clock, isKnown });
    const own = { penalties: this.#penalties, counters: this.counters };
    this.#gate = new LoginGate({ ...deps, ...own });
  }

  /** Whether an upgrade request comes from an agent. */
  static isAgent(request: IncomingMessage): boolean {
    return request.headers["sec-websocket-protocol"] === SUBPROTOCOL;
  }

  /** Takes an upgrade over: lets the agent in or answers with a refusal. */
  upgrade({ request, socket, head, address, isShared = false }: AgentUpgrade): void {
    if (!AgentDoor.isAgent(request)) {
      refuse(socket, "404 Not Found");
      return;
    }
    const from = { address, isShared };
    const place = this.#placeFor(from, request);
    if (!(place instanceof PendingSocket)) {
      this.counters.beforeLogin += 1;
      refuse(socket, place.status, place.retryAfterS);
      return;
    }
    socket.once("close", () => place.release());
    place.onEvicted = () => socket.destroy();
    this.#paced(place, () => {
      if (socket.destroyed) return;
      this.#server.handleUpgrade(request, socket, head, (ws) => {
        tune(socket);
        this.#receive(ws, from, place);
      });
    });
  }

  /** Lets nobody in any more and ends every connection; resolves when all have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#server.close();
    const open = [...this.#transports];
    for (const transport of open) transport.close("the server is stopping");
    await Promise.all(open.map((transport) => transport.closed));
  }

  /** A place among those who have not signed in, or how the request is answered instead. */
  #placeFor(from: LoginOrigin, request: IncomingMessage): PendingSocket | NotNow {
    const { address } = from;
    // Agents are no web pages; RPort's send no such header either.
    if (request.headers.origin !== undefined) {
      this.#deps.refusals?.note({ reason: "protocol", address });
      return { status: "403 Forbidden" };
    }
    const retryAfterS = Math.ceil(this.#gate.waitS(from));
    if (retryAfterS > 0) {
      this.#gate.sentAway(from);
      return { status: "429 Too Many Requests", retryAfterS };
    }
    const place = this.#isClosed ? "full" : this.#pending.take(networkOf(address));
    if (place instanceof PendingSocket) return place;
    this.#deps.refusals?.note({ reason: "busy", address });
    return { status: NO_PLACE[place], retryAfterS: BUSY_RETRY_S };
  }

  #receive(ws: WebSocket, from: LoginOrigin, place: PendingSocket): void {
    let accepted: AcceptedLogin | undefined;
    let hasFailed = false;
    const { hostKey, clock, transportLimits } = this.#deps;
    const transport = serverTransport(ws, {
      hostKey,
      clock,
      limits: transportLimits,
      pace: (work) => this.#paced(place, work),
      onKeys: () => place.passKeys(),
      login: {
        check: async (user, password) => {
          hasFailed = true;
          const verdict = await this.#check(place, () => this.#gate.check(from, user, password));
          if (verdict.kind === "accepted") accepted = verdict.login;
          else if (verdict.isLast) setImmediate(() => transport.close("too many failed logins"));
          return verdict.kind === "accepted";
        },
      },
    });
    this.#transports.add(transport);
    place.onEvicted = () => {
      this.#deps.refusals?.note({ reason: "busy", address: from.address });
      transport.close("others need the place");
      // Without waiting for its answer: it has been silent all the time.
      ws.terminate();
    };
    void transport.closed.then(() => this.#transports.delete(transport));
    void transport.ready
      .then(
        () => {
          if (accepted !== undefined) this.#admit(transport, accepted, from);
        },
        (error: unknown) => this.#endedBeforeLogin(error, { from, place, hasFailed }),
      )
      .finally(() => place.release());
  }

  /** Works on what this socket sent, when it is its turn; until then it waits for us. */
  #paced(place: PendingSocket, work: () => void): void {
    place.beginTurn();
    this.#pace.run(place.network, () => {
      place.endTurn(this.#deps.clock.monotonic());
      work();
    });
  }

  async #check(place: PendingSocket, check: () => Promise<Verdict>): Promise<Verdict> {
    place.beginTurn();
    try {
      return await check();
    } finally {
      place.endTurn(this.#deps.clock.monotonic());
    }
  }

  #admit(transport: Transport, login: AcceptedLogin, { address }: LoginOrigin): void {
    const network = networkOf(address);
    const own = {
      counters: this.counters,
      serverFingerprint: this.#serverFingerprint,
      onFlood: () => this.#pace.strain(),
    };
    const session = new AgentSession({ transport, login, address }, { ...this.#deps, ...own });
    this.#known.enter(network);
    void transport.closed.then(() => {
      const { clientId } = session;
      const record = clientId === undefined ? undefined : this.#deps.registry.get(clientId);
      this.#known.leave(network, record !== undefined && networkOf(record.address) === network);
    });
  }

  #endedBeforeLogin(error: unknown, { from, place, hasFailed }: Ended): void {
    const kind = error instanceof WireError ? error.kind : "local";
    const network = networkOf(from.address);
    if (RUDE.has(kind) && !from.isShared) this.#penalties.garbage(network);
    if (kind === "timeout" && !place.isWaiting && !from.isShared) this.#penalties.silence(network);
    if (hasFailed) return;
    this.counters.beforeLogin += 1;
    if (RUDE.has(kind)) this.#deps.refusals?.note({ reason: "protocol", address: from.address });
  }
}

/** How a request is answered that is not granted; 0 seconds: nothing is said about later. */
interface NotNow {
  readonly status: string;
  readonly retryAfterS?: number;
}

/** A connection that ended before its login. */
interface Ended {
  readonly from: LoginOrigin;
  readonly place: PendingSocket;
  /** Something was tried; what came of it is counted already. */
  readonly hasFailed: boolean;
}

function refuse(socket: Duplex, status: string, retryAfterS = 0): void {
  const retryAfter = retryAfterS > 0 ? `Retry-After: ${retryAfterS}\r\n` : "";
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${retryAfter}Content-Length: 0\r\n\r\n`);
}

function tune(socket: Duplex): void {
  const { setKeepAlive, setNoDelay } = socket as Partial<Socket>;
  setKeepAlive?.call(socket, true, KEEP_ALIVE_MS);
  setNoDelay?.call(socket, true);
}
