import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { SUBPROTOCOL } from "@rport/protocol/agent";
import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { ServerKey } from "@rport/protocol/wire/serverKey";
import type { Transport, TransportLimits } from "@rport/protocol/wire/transport";
import { Turns } from "@rport/protocol/wire/turns";
import { type WebSocket, WebSocketServer } from "ws";
import type { AgentEvents } from "../../audit/agentEvents.ts";
import type { Limits } from "../../limits/limits.ts";
import type { LimitName } from "../../limits/limitTable.ts";
import { afterReading } from "../../platform/afterReading.ts";
import type { Clock } from "../../platform/clock.ts";
import { endingFault, loggedFault } from "../../platform/faults.ts";
import type { Log } from "../../platform/log.ts";
import { networkOf } from "../../platform/network.ts";
import { inSlices } from "../../platform/slices.ts";
import type { OpenSockets } from "../../sockets/openSockets.ts";
import { type DoorCounters, newDoorCounters } from "../doorCounters.ts";
import type { LiveSession } from "../liveSession.ts";
import type { PairedHosts } from "../pairedHosts.ts";
import type { Refusals } from "../refusals.ts";
import type { LocalPresence } from "../registry/presence.ts";
import type { ClientRegistry } from "../registry/registry.ts";
import { AgentSession, type SessionStart } from "../session/agentSession.ts";
import { SERVER_STOPS } from "../session/connectionEnd.ts";
import type {
  SessionCredentials,
  SessionDeps,
  SessionEvents,
  SessionTerminals,
  SessionTunnels,
} from "../session/sessionDeps.ts";
import { heldBytes, transportLimits } from "./agentLimits.ts";
import { refuse, tune } from "./agentSocket.ts";
import { type Caller, Handshake, type HandshakeDeps } from "./handshake.ts";
import { HandshakePace } from "./handshakePace.ts";
import { KnownNetworks } from "./knownNetworks.ts";
import { type LoginChecker, LoginGate, type LoginOrigin } from "./loginGate.ts";
import { Penalties } from "./penalties.ts";
import { type NoPlace, PendingSocket, PendingSockets } from "./pendingSockets.ts";
import { sessionDeps } from "./sessionShare.ts";

/** One WebSocket message before the login, and its pieces; they grow when a client is in. */
const MESSAGE_BEFORE_LOGIN_BYTES = 64 << 10;
const FRAGMENTS_BEFORE_LOGIN = 1_024;
const CHUNKS_BEFORE_LOGIN = 4_096;
/** How a request is answered for which there is no place, and when to come again. */
const NO_PLACE = {
  crowded: "429 Too Many Requests",
  full: "503 Service Unavailable",
} as const satisfies Readonly<Record<NoPlace, string>>;
/** The limit that there was no place for. */
const LIMIT_OF = {
  crowded: "pending_sockets_per_network",
  full: "pending_sockets",
} as const satisfies Readonly<Record<NoPlace, LimitName>>;
const BUSY_RETRY_S = 1;

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
export interface AgentDoorDeps {
  readonly registry: ClientRegistry;
  readonly presence: LocalPresence<LiveSession>;
  readonly credentials: SessionCredentials & LoginChecker;
  readonly tunnels: SessionTunnels;
  readonly terminals: SessionTerminals;
  /** Writes down who comes in and who is turned away. */
  readonly agentEvents: SessionEvents & Pick<AgentEvents, "loginRefused">;
  /** Counts who is not let in. */
  readonly refusals: Pick<Refusals, "note">;
  /** Is told how hosts fare that were paired. */
  readonly paired: PairedHosts;
  readonly serverKey: ServerKey;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
  readonly sockets: Pick<OpenSockets, "vouch" | "hasRoom">;
  readonly transportLimits?: Partial<TransportLimits> | undefined;
}

/**
 * Where agents come in: WebSocket upgrades with RPort's subprotocol. Holds the limits for those who
 * have not shown yet that they belong here, and everybody's connections until they end.
 */
export class AgentDoor {
  readonly counters: DoorCounters = newDoorCounters();
  readonly #registry: ClientRegistry;
  readonly #refusals: Pick<Refusals, "note">;
  readonly #limits: Limits;
  readonly #log: Log;
  readonly #sockets: AgentDoorDeps["sockets"];
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BEFORE_LOGIN_BYTES,
    maxFragments: FRAGMENTS_BEFORE_LOGIN,
    maxBufferedChunks: CHUNKS_BEFORE_LOGIN,
    // RPort's server does not repeat the subprotocol.
    handleProtocols: () => false,
  });
  readonly #known: KnownNetworks;
  readonly #pending: PendingSockets;
  readonly #pace: HandshakePace;
  readonly #gate: LoginGate;
  readonly #handshakeDeps: HandshakeDeps;
  readonly #sessionDeps: SessionDeps;
  readonly #transports = new Set<Transport>();
  #isClosed = false;

  constructor(deps: AgentDoorDeps) {
    const { registry, credentials, refusals, agentEvents, clock, log } = deps;
    const { counters } = this;
    this.#registry = registry;
    this.#refusals = refusals;
    this.#limits = deps.limits;
    this.#log = log;
    this.#sockets = deps.sockets;
    this.#known = new KnownNetworks(clock, registry.records());
    const isKnown = (network: string): boolean => this.#known.has(network);
    this.#pending = pendingSockets(deps, isKnown);
    this.#limits.watch("pending_sockets", () => this.#pending.size);
    const pace = new HandshakePace(clock);
    const penalties = new Penalties({ clock, isKnown });
    const gate = new LoginGate({
      credentials,
      penalties,
      counters,
      agentEvents,
      refusals,
      clock,
      log,
    });
    this.#pace = pace;
    this.#gate = gate;
    const { serverKey } = deps;
    this.#handshakeDeps = {
      serverKey,
      gate,
      pace,
      penalties,
      counters,
      refusals,
      clock,
      held: heldBytes(deps.limits),
      turns: new Turns({ clock, onFault: loggedFault(log, "a turn of an agent") }),
      transportLimits: transportLimits(deps.limits, deps.transportLimits),
    };
    this.#sessionDeps = sessionDeps(deps, { counters, onFlood: () => pace.strain() });
    this.#limits.watch("silent_sessions", () => this.#sessionDeps.silent.size);
  }

  /** Whether an upgrade request comes from an agent. */
  static isAgent(request: IncomingMessage): boolean {
    return request.headers["sec-websocket-protocol"] === SUBPROTOCOL;
  }

  /** Takes an agent's upgrade (see `isAgent`) over: lets it in or answers with a refusal. */
  upgrade(upgrade: AgentUpgrade): void {
    // Where somebody has to leave for it, that is nobody who has spoken and was not heard yet.
    if (this.#pending.hasRoom(networkOf(upgrade.address))) this.#enter(upgrade);
    else this.#enterLater(upgrade);
  }

  #enterLater(upgrade: AgentUpgrade): void {
    const { socket } = upgrade;
    const onFault = endingFault(this.#log, "an upgrade", () => socket.destroy());
    afterReading(onFault, () => socket.destroyed || this.#enter(upgrade));
  }

  #enter({ request, socket, head, address, isShared = false }: AgentUpgrade): void {
    const from = { address, isShared };
    const place = this.#placeFor(from, request);
    if (!(place instanceof PendingSocket)) {
      this.counters.beforeLogin += 1;
      refuse(socket, place.status, place.retryAfterS);
      return;
    }
    if (!this.#sockets.hasRoom()) {
      place.release();
      refuse(socket, NO_PLACE.full, BUSY_RETRY_S);
      return;
    }
    this.#sockets.vouch(socket, address);
    const onFault = endingFault(this.#log, "an agent's socket", () => socket.destroy());
    this.#grant({ request, socket, head }, { from, place, onFault });
  }

  /** Lets nobody in any more and ends every connection; resolves when all have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#gate.close();
    this.#server.close();
    const open = [...this.#transports];
    const { clock, farewells } = this.#sessionDeps;
    await inSlices(open, { clock }, (transport) => transport.close(SERVER_STOPS));
    await Promise.all(open.map((transport) => transport.closed));
    await farewells.done();
  }

  /** What is in the scope of this goes when the agent has signed in. */
  #grant(upgrade: Pick<AgentUpgrade, "request" | "socket" | "head">, caller: Received): void {
    const { request, socket, head } = upgrade;
    const { place, onFault } = caller;
    const onClose = () => place.release();
    socket.on("close", onClose);
    place.onEvicted = () => socket.destroy();
    const receive = guarded(onFault, async (ws: WebSocket) => {
      tune(socket);
      await this.#receive(ws, caller);
      socket.off("close", onClose);
    });
    const grant = guarded(onFault, () => {
      if (!socket.destroyed) this.#server.handleUpgrade(request, socket, head, receive);
    });
    this.#pace.runFor(place, grant);
  }

  /** A place among those who have not signed in, or how the request is answered instead. */
  #placeFor(from: LoginOrigin, request: IncomingMessage): PendingSocket | NotNow {
    const { address } = from;
    // Agents are no web pages; RPort's send no such header either.
    if (request.headers.origin !== undefined) {
      this.#refusals.note({ why: "protocol", address });
      return { status: "403 Forbidden" };
    }
    const retryAfterS = Math.ceil(this.#gate.waitS(from));
    if (retryAfterS > 0) {
      this.#gate.sentAway(from);
      return { status: "429 Too Many Requests", retryAfterS };
    }
    const place = this.#isClosed ? "full" : this.#pending.take(networkOf(address));
    if (place instanceof PendingSocket) return place;
    this.#refusals.note({ why: "busy", address });
    if (!this.#isClosed) this.#limits.bite(LIMIT_OF[place], { address });
    return { status: NO_PLACE[place], retryAfterS: BUSY_RETRY_S };
  }

  async #receive(ws: WebSocket, { from, place, onFault }: Received): Promise<void> {
    const handshake = new Handshake({ ws, from, place, onFault }, this.#handshakeDeps);
    const { transport } = handshake;
    this.#transports.add(transport);
    transport.closed.then(() => this.#transports.delete(transport)).catch(onFault);
    const login = await handshake.login();
    if (login !== undefined) this.#begin({ transport, login, address: from.address }, onFault);
  }

  /** Somebody signed in; who that is says the introduction. */
  #begin(start: SessionStart, onFault: OnFault): void {
    const network = networkOf(start.address);
    const session = new AgentSession(start, this.#sessionDeps);
    this.#known.enter(network);
    const forget = guarded(onFault, () => {
      const { clientId } = session;
      const record = clientId === undefined ? undefined : this.#registry.record(clientId);
      this.#known.leave(network, record !== undefined && networkOf(record.address) === network);
    });
    void start.transport.closed.then(forget);
  }
}

/** A socket that was upgraded: where it comes from, its place, and what ends it. */
type Received = Omit<Caller, "ws">;

/** How a request is answered that is not granted; 0 seconds: nothing is said about later. */
interface NotNow {
  readonly status: string;
  readonly retryAfterS?: number;
}

function pendingSockets(
  { limits, clock }: AgentDoorDeps,
  isKnown: (network: string) => boolean,
): PendingSockets {
  return new PendingSockets({
    max: limits.max("pending_sockets"),
    perNetworkMax: limits.max("pending_sockets_per_network"),
    isKnown,
    clock,
  });
}
