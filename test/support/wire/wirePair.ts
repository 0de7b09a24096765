import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { WireClock } from "@rport/protocol/wire/clock";
import { Connection, type ConnectionDeps } from "@rport/protocol/wire/connection";
import type { HeldBytes } from "@rport/protocol/wire/held";
import { serverKeyFromSeed } from "@rport/protocol/wire/serverKey";
import {
  clientTransport,
  type ServerLogin,
  serverTransport,
  type Transport,
  type TransportLimits,
} from "@rport/protocol/wire/transport";
import { WebSocket, WebSocketServer } from "ws";

/** The auth id and secret every test server accepts. */
export const USER = "clientAuth1";
export const PASSWORD = "1234:with:colons";
/** One key for all test servers: deriving it takes 2048 hashes. */
export const SERVER_KEY = serverKeyFromSeed("test-seed");

/** Accepts `USER` with `PASSWORD`. */
export const LOGIN: ServerLogin = {
  check: async (user, password) => user === USER && password === PASSWORD,
};

/** The small limit a listener gives to peers that have not logged in. */
export const ANONYMOUS_MESSAGE_BYTES = 64 << 10;

/** A WebSocket listener on loopback; every socket goes to `onSocket`. */
export interface WireListener extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/** Listens on a free port. */
export async function listen(onSocket: (ws: WebSocket) => void): Promise<WireListener> {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: ANONYMOUS_MESSAGE_BYTES,
  });
  const http = createServer();
  http.on("upgrade", (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, onSocket),
  );
  const port = await listening(http);
  return {
    port,
    url: `ws://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      for (const ws of sockets.clients) ws.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A client socket that is still connecting, as the agent makes it. */
export function dial(url: string, headers: Readonly<Record<string, string>> = {}): WebSocket {
  const maxPayload = ANONYMOUS_MESSAGE_BYTES;
  return new WebSocket(url, { perMessageDeflate: false, maxPayload, headers });
}

/** What a test changes about a pair. */
export interface PairOptions {
  readonly server?: Partial<ConnectionDeps>;
  readonly client?: Partial<ConnectionDeps>;
  readonly limits?: Partial<TransportLimits>;
  /** The clock that the server lives by. */
  readonly serverClock?: WireClock;
  /** What is held for the server's connection. */
  readonly held?: HeldBytes;
}

/** A server and a client that have logged in with each other. */
export interface WirePair extends AsyncDisposable {
  readonly server: Connection;
  readonly client: Connection;
  /** The WebSocket below `client`, for tests that cut it. */
  readonly clientSocket: WebSocket;
}

/** Connects both ends over a real WebSocket. */
export async function connectPair(options: PairOptions = {}): Promise<WirePair> {
  const { limits = {}, held, serverClock: clock } = options;
  const accepted = Promise.withResolvers<Connection>();
  const listener = await listen((ws) => {
    const deps = { serverKey: SERVER_KEY, login: LOGIN, limits, held, clock };
    const transport = serverTransport(ws, deps);
    accepted.resolve(new Connection(transport, { ...REFUSE_ALL, ...options.server }));
  });
  const clientSocket = dial(listener.url);
  const transport = clientOf(clientSocket, limits);
  const client = new Connection(transport, { ...REFUSE_ALL, ...options.client });
  await client.transport.ready;
  const server = await accepted.promise;
  await server.transport.ready;
  return {
    server,
    client,
    clientSocket,
    async [Symbol.asyncDispose]() {
      client.close("the test is over");
      await Promise.all([client.closed, server.closed]);
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** A client transport with the right secret that trusts the test key. */
export function clientOf(ws: WebSocket, limits: Partial<TransportLimits> = {}): Transport {
  const verifyServerKey = (key: Buffer) => key.equals(SERVER_KEY.getPublicSSH());
  return clientTransport(ws, { user: USER, password: PASSWORD, verifyServerKey, limits });
}

/** Refuses every request and every channel. */
export const REFUSE_ALL: ConnectionDeps = {
  onRequest() {
    throw new Error("this test expects no request");
  },
  onOpen: () => ({ refuse: "this test expects no channel" }),
};

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
