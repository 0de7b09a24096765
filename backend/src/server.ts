import { constants } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer, Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { RportError } from "@rport/protocol/errors";
import { contain, containing, guarded } from "@rport/protocol/wire/contain";
import { loggedPath } from "./http/rawQuery.ts";
import { refuseUpgrade, type UpgradeDoor, type UpgradeRequest } from "./http/upgrade.ts";
import type { Limits } from "./limits/limits.ts";
import type { Place } from "./place.ts";
import type { Clock } from "./platform/clock.ts";
import { endingFault, loggedFault } from "./platform/faults.ts";
import type { Log } from "./platform/log.ts";
import type { LogBursts } from "./platform/logBursts.ts";
import { unmapped } from "./platform/network.ts";
import { StartFailure } from "./platform/startFailure.ts";
import type { OpenSockets } from "./sockets/openSockets.ts";
import { Pipelines } from "./sockets/pipelines.ts";
import { refuseUnreadable } from "./sockets/unreadable.ts";
import type { ListenerTls } from "./tls/openTls.ts";

/**
 * Node's own limits are far wider, and are looked at only twice a minute. A request without `Host` is
 * the application's to refuse: Node would answer it unseen by all that bounds requests.
 */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16_384,
  requireHostHeader: false,
} as const;
const HEADERS_MAX = 100;
/**
 * Whoever has said all is answered all the same; Node would end the connection first. Its name is in no
 * document of Node's: `halfClosed.test.ts` fails once it does nothing.
 */
const HALF_CLOSED = { httpAllowHalfOpen: true } as const;
/** A peer could have a key exchange with every few bytes, and Node would count but not pace them. */
const TLS_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION;
const NO_SOCKET = new RportError("NOT_FOUND", "There is no WebSocket here.");
const NO_PROXY = new RportError("BAD_REQUEST", "This server is no proxy.");
/** How long open connections may take to end by themselves when the server stops. */
const CLOSE_GRACE_MS = 1_000;

/** Who answers on one place. */
export interface ListenerDeps {
  readonly onRequest: RequestListener;
  /** Those who speak WebSocket: the first that takes a request gets it, and nobody is a 404. */
  readonly doors: readonly UpgradeDoor[];
  /** Counts the connections, and ends those for which there is no place. */
  readonly sockets: OpenSockets;
  readonly limits: Pick<Limits, "max" | "bite">;
  /** What TLS is spoken with; undefined: plain HTTP is spoken. */
  readonly tls?: ListenerTls | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the lines that anybody can cause. */
  readonly strangers: Pick<LogBursts, "note">;
}

/** One address that is listened on. */
export class Listener {
  readonly #server: Server | SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #clock: Clock;

  private constructor(server: Server | SecureServer, { sockets, tls, clock, log }: ListenerDeps) {
    this.#server = server;
    this.#clock = clock;
    contain(server, loggedFault(log, "an address that is listened on"));
    const own = this.#sockets;
    const leave = function (this: Socket): void {
      own.delete(this);
    };
    const containSocket = containing<Socket>((error, socket) =>
      endingFault(log, "a connection", () => socket.destroy())(error),
    );
    const note = (socket: Socket): void => {
      containSocket(socket);
      own.add(socket);
      socket.on("close", leave);
    };
    if (server instanceof SecureServer) {
      tls?.handshakes.guard(server, { onConnection: note, onSecure: containSocket });
      return;
    }
    server.on("connection", (socket: Socket) => {
      note(socket);
      sockets.enter(socket);
    });
  }

  /** Starts listening. Throws a `StartFailure` that names the address when it cannot be had. */
  static async open(place: Place, deps: ListenerDeps): Promise<Listener> {
    const pipelines = new Pipelines(deps.limits, deps.sockets.bodies);
    const options = {
      ...LIMITS,
      IncomingMessage: pipelines.Request,
      shouldUpgradeCallback: ({ headers, socket }: IncomingMessage) =>
        headers.upgrade?.toLowerCase() === "websocket" || pipelines.isFull(socket),
    };
    const onRequest = contained(deps, pipelines);
    const server = serverOf(deps.tls, options, onRequest);
    server.maxHeadersCount = HEADERS_MAX;
    Object.assign(server, HALF_CLOSED);
    // Node would answer it itself, and nothing would bound how often.
    server.on("checkExpectation", onRequest);
    const isAnswering = (socket: Duplex) => pipelines.isAnswering(socket);
    refuseUnreadable(server, { isAnswering, ...deps });
    takeUpgrades(server, deps, pipelines);
    const listener = new Listener(server, deps);
    try {
      server.listen({ host: place.host, port: place.port, exclusive: true });
      await once(server, "listening");
    } catch (error) {
      throw whyNotListening(error, place);
    }
    return listener;
  }

  /** The port that is listened on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Accepts nothing more, lets answers under way finish for a moment, then ends what is left.
   * Resolves when no connection is open.
   */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = this.#clock.after(CLOSE_GRACE_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    timer.cancel();
  }
}

/** A server whose certificate changes with the files that it came from. */
function serverOf(
  tls: ListenerTls | undefined,
  http: ServerOptions,
  onRequest: RequestListener,
): Server | SecureServer {
  if (tls === undefined) return createServer(http, onRequest);
  const { certificates } = tls;
  // Else the connection below would end with what its peer says, and take the answer along.
  const options = { ...secureOptionsOf(tls), ...http, allowHalfOpen: true };
  const server = createSecureServer(options, onRequest);
  certificates.follow(() => server.setSecureContext(secureOptionsOf(tls)));
  return server;
}

function secureOptionsOf({ certificates, oldest }: ListenerTls): SecureContextOptions {
  const { certificate: cert, key } = certificates.pair;
  return { cert, key, minVersion: oldest, honorCipherOrder: true, secureOptions: TLS_OPTIONS };
}

/** What one request brings about ends that request alone. */
function contained(deps: ListenerDeps, pipelines: Pipelines): RequestListener {
  const { onRequest, sockets, limits, log } = deps;
  return (request, response) => {
    pipelines.enter(request, response);
    const onFault = endingFault(log, "a request", () => response.destroy());
    contain(request, onFault);
    contain(response, onFault);
    sockets.stir(request.socket);
    request.socket.setTimeout(limits.max("response_stall_ms"));
    endWhenStalled(response, deps);
    guarded(onFault, onRequest)(request, response);
  };
}

/**
 * Ends an answer of which nothing was taken for too long. As long as none was begun there is nothing
 * to take: whoever asked waits for us.
 */
function endWhenStalled(response: ServerResponse, { limits }: ListenerDeps): void {
  response.on("timeout", (socket: Socket) => {
    if (!response.headersSent) return;
    limits.bite("response_stall_ms", { address: socket.remoteAddress });
    socket.destroy();
  });
}

/** What is no request and no answer any more; of `CONNECT`, Node would end the connection unseen. */
function takeUpgrades(server: Server, deps: ListenerDeps, pipelines: Pipelines): void {
  const { sockets, limits } = deps;
  const endStalled = stalledEnd(limits);
  const take = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (pipelines.isFull(socket)) {
      pipelines.end(socket);
      return;
    }
    // Answers come in the order of their requests (RFC 9112, 9.3.2), and there is none behind an upgrade.
    if (pipelines.isOwing(socket)) {
      noteUnserved(request, deps);
      socket.destroy();
      return;
    }
    sockets.stir(socket);
    // Node looks after it no longer; whoever grants it sets a time of its own, or none.
    request.socket.setTimeout(limits.max("response_stall_ms")).on("timeout", endStalled);
    route({ request, socket, head }, deps);
  };
  server.on("upgrade", take);
  server.on("connect", take);
}

/** Ends a socket that was refused, where nothing of what it was answered is taken. One for all of them. */
function stalledEnd(limits: ListenerDeps["limits"]): (this: Socket) => void {
  return function () {
    if (!this.writableEnded) return;
    limits.bite("response_stall_ms", { address: this.remoteAddress });
    this.destroy();
  };
}

function route(upgrade: UpgradeRequest, { doors, log, strangers }: ListenerDeps): void {
  const { request, socket } = upgrade;
  // A peer may vanish at any time; whoever takes the socket over learns it from its close.
  socket.on("error", destroy);
  const onFault = endingFault(log, "an upgrade", () => socket.destroy());
  const take = guarded(onFault, () => {
    const isProxied = request.method === "CONNECT";
    const door = isProxied ? undefined : doors.find((one) => one.takes(request));
    if (door !== undefined) return door.upgrade(upgrade);
    noteUnserved(request, { log, strangers });
    return refuseUpgrade(upgrade, isProxied ? NO_PROXY : NO_SOCKET);
  });
  take();
}

function noteUnserved(
  { method, url = "", socket }: IncomingMessage,
  { log, strangers }: Pick<ListenerDeps, "log" | "strangers">,
): void {
  const address = unmapped(socket.remoteAddress ?? "");
  const fields = { method, path: loggedPath(url), address };
  strangers.note({ level: "info", message: "upgrade refused", log, address, fields });
}

/** As a listener of its own, it keeps nothing of the request for as long as the socket lives. */
function destroy(this: Duplex): void {
  this.destroy();
}

function whyNotListening(error: unknown, { host, port }: Place): StartFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const place = `${host}:${port}`;
  if (code === "EADDRINUSE") {
    return new StartFailure(
      "portInUse",
      `The address ${place} is in use by another program. Stop it, or choose another port with --port.`,
      { cause: error },
    );
  }
  return new StartFailure("io", `The address ${place} cannot be listened on (${code}).`, {
    cause: error,
  });
}
