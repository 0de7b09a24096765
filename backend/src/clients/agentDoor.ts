import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { RefusalReason as ListedReason } from "@rport/protocol/model";
import { type HostKey, sha256Fingerprint } from "@rport/protocol/wire/hostKey";
import {
  serverTransport,
  type Transport,
  type TransportLimits,
} from "@rport/protocol/wire/transport";
import { WireError, type WireErrorKind } from "@rport/protocol/wire/wireError";
import { type WebSocket, WebSocketServer } from "ws";
import type {
  AcceptedLogin,
  LoginResult,
  RefusalReason,
  RefusedLogin,
} from "../credentials/login.ts";
import { AgentSession } from "./agentSession.ts";
import { type DoorCounters, newDoorCounters } from "./doorCounters.ts";
import type { SessionDeps } from "./sessionDeps.ts";

/** The subprotocol of agents, byte for byte; a list with more in it is another one. */
const SUBPROTOCOL = "rport-v1";
/** One WebSocket message before the login; it grows to 16 MiB with the login. */
const MESSAGE_BEFORE_LOGIN_BYTES = 64 << 10;
const FRAGMENTS_BEFORE_LOGIN = 1_024;
/**
 * Sockets that have not signed in: in total, and from one address. A site behind NAT comes back all
 * at once after a restart; a quarter of the room is enough for it to be back within seconds, and
 * leaves room for others beside a peer that only holds sockets.
 */
const PENDING_MAX = 1_024;
const PENDING_PER_ADDRESS_MAX = 256;
/** Where agents are signed in already, many more are likely to be agents, too. */
const KNOWN_ADDRESS_FACTOR = 3;
/** Ends that a peer brings about which does not speak our protocol. */
const RUDE: ReadonlySet<WireErrorKind> = new Set(["protocol", "limit"]);
/** How refused logins are listed. */
const LISTED_AS = {
  unknown: "unknown-credential",
  wrong: "wrong-secret",
  deleted: "revoked-credential",
  revoked: "revoked-secret",
  expired: "expired",
  address: "address",
  busy: "busy",
} as const satisfies Readonly<Record<RefusalReason, ListedReason>>;
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
  readonly credentials: SessionDeps["credentials"] & {
    login(authId: string, password: string, address: string): Promise<LoginResult>;
  };
  readonly hostKey: HostKey;
  readonly pendingMax?: number;
  readonly pendingPerAddressMax?: number;
  readonly transportLimits?: Partial<TransportLimits>;
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
  readonly #pendingOf = new Map<string, number>();
  readonly #signedInOf = new Map<string, number>();
  readonly #transports = new Set<Transport>();
  #pending = 0;
  #isClosed = false;

  constructor(deps: AgentDoorDeps) {
    this.#deps = deps;
    this.#serverFingerprint = sha256Fingerprint(deps.hostKey.getPublicSSH());
  }

  /** Whether an upgrade request comes from an agent. */
  static isAgent(request: IncomingMessage): boolean {
    return request.headers["sec-websocket-protocol"] === SUBPROTOCOL;
  }

  /** Takes an upgrade over: lets the agent in or answers with a refusal. */
  upgrade({ request, socket, head, address }: AgentUpgrade): void {
    if (!AgentDoor.isAgent(request)) {
      refuse(socket, "404 Not Found");
      return;
    }
    // Agents are no web pages; RPort's send no such header either.
    if (request.headers.origin !== undefined) {
      this.counters.beforeLogin += 1;
      this.#deps.refusals?.note({ reason: "protocol", address });
      refuse(socket, "403 Forbidden");
      return;
    }
    const refusal = this.#whyNot(address);
    if (refusal !== undefined) {
      this.counters.beforeLogin += 1;
      this.#deps.refusals?.note({ reason: "busy", address });
      refuse(socket, refusal);
      return;
    }
    this.#countPending(address, 1);
    const release = once(() => this.#countPending(address, -1));
    socket.once("close", release);
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      tune(socket);
      this.#receive(ws, address, release);
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

  #whyNot(address: string): string | undefined {
    const { pendingMax = PENDING_MAX, pendingPerAddressMax = PENDING_PER_ADDRESS_MAX } = this.#deps;
    if (this.#isClosed || this.#pending >= pendingMax) return "503 Service Unavailable";
    const factor = this.#signedInOf.has(address) ? KNOWN_ADDRESS_FACTOR : 1;
    const isCrowded = (this.#pendingOf.get(address) ?? 0) >= pendingPerAddressMax * factor;
    return isCrowded ? "429 Too Many Requests" : undefined;
  }

  #receive(ws: WebSocket, address: string, release: () => void): void {
    let accepted: AcceptedLogin | undefined;
    let hasFailed = false;
    const { hostKey, clock, transportLimits, credentials } = this.#deps;
    const transport = serverTransport(ws, {
      hostKey,
      clock,
      ...(transportLimits === undefined ? {} : { limits: transportLimits }),
      login: {
        check: async (user, password) => {
          const result = await credentials.login(user, password, address);
          if (result.kind === "accepted") accepted = result;
          else {
            hasFailed = true;
            this.#refused(result, user, address);
          }
          return result.kind === "accepted";
        },
      },
    });
    this.#transports.add(transport);
    void transport.closed.then(() => this.#transports.delete(transport));
    void transport.ready
      .then(
        () => {
          if (accepted !== undefined) this.#admit(transport, accepted, address);
        },
        (error: unknown) => {
          if (!hasFailed) this.#endedBeforeLogin(error, address);
        },
      )
      .finally(release);
  }

  #admit(transport: Transport, login: AcceptedLogin, address: string): void {
    shift(this.#signedInOf, address, 1);
    void transport.closed.then(() => shift(this.#signedInOf, address, -1));
    const serverFingerprint = this.#serverFingerprint;
    const own = { counters: this.counters, serverFingerprint };
    new AgentSession({ transport, login, address }, { ...this.#deps, ...own });
  }

  #endedBeforeLogin(error: unknown, address: string): void {
    this.counters.beforeLogin += 1;
    const isRude = error instanceof WireError && RUDE.has(error.kind);
    if (isRude) this.#deps.refusals?.note({ reason: "protocol", address });
  }

  /** Being busy is no verdict: the connection ends without one, and the agent tries again. */
  #refused({ reason, clientId }: RefusedLogin, user: string, address: string): void {
    this.#deps.refusals?.note({ reason: LISTED_AS[reason], address, authId: user, clientId });
    if (reason === "busy") throw new Error("the login could not be checked now");
    this.counters.failedLogins += 1;
    this.#deps.log.warn("agent login refused", { address, reason });
    this.#deps.agentEvents?.loginRefused(user, reason, address);
  }

  #countPending(address: string, by: 1 | -1): void {
    this.#pending += by;
    shift(this.#pendingOf, address, by);
  }
}

function shift(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function refuse(socket: Duplex, status: string): void {
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function tune(socket: Duplex): void {
  const { setKeepAlive, setNoDelay } = socket as Partial<Socket>;
  setKeepAlive?.call(socket, true, KEEP_ALIVE_MS);
  setNoDelay?.call(socket, true);
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}
