import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { EventMessage } from "@rport/protocol/events";
import { EVENTS_PATH } from "@rport/protocol/http";
import { type WebSocket, WebSocketServer } from "ws";

/** A request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** What a request is answered with. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly location?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return body;
}

/** A server that speaks the users' face as far as a test says, and remembers what it was asked. */
export class FakeServer {
  readonly requests: Seen[] = [];
  /** Tokens of the event sockets that were opened, in order. */
  readonly tokens: string[] = [];
  token = "good-token";
  greeting: EventMessage | string | undefined;
  /** Upgrades are answered when this is over. */
  slowness: Promise<void> | undefined;
  reply: (seen: Seen) => Reply = () => ({ status: 404 });
  readonly #http = createServer((request, response) => void this.#answer(request, response));
  readonly #sockets = new WebSocketServer({ noServer: true });

  /** Starts one on a free port, below a path. */
  static async start(base = ""): Promise<FakeServer> {
    const server = new FakeServer();
    server.#http.on("upgrade", async (request, socket, head) => {
      const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
      server.tokens.push(token);
      if (token !== server.token || request.url !== base + EVENTS_PATH) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      await server.slowness;
      server.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const { greeting } = server;
        if (greeting === undefined) return;
        webSocket.send(typeof greeting === "string" ? greeting : JSON.stringify(greeting));
      });
    });
    server.#http.listen(0, "127.0.0.1");
    await once(server.#http, "listening");
    server.url = `http://127.0.0.1:${(server.#http.address() as AddressInfo).port}${base}`;
    return server;
  }

  /** Its base URL. */
  url = "";

  /** The open event sockets. */
  get sockets(): readonly WebSocket[] {
    return [...this.#sockets.clients];
  }

  /** Sends a message to all event sockets. */
  send(message: EventMessage): void {
    for (const socket of this.#sockets.clients) socket.send(JSON.stringify(message));
  }

  /** Cuts all event sockets. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const { authorization } = headers;
    const seen = { method, url, authorization, body: await read(request) };
    this.requests.push(seen);
    const { status, body, location, retryAfter } = this.reply(seen);
    if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
    if (location !== undefined) response.setHeader("location", location);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
  }
}
