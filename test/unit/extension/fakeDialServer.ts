import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DIAL_PATH } from "@rport/protocol/http";
import { type WebSocket, WebSocketServer } from "ws";

/** A dial that reached the server. */
export interface Dial {
  readonly socket: WebSocket;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

/** How the upgrade of the next dials is answered. */
export type Refusal = { readonly status: number; readonly body: string } | undefined;

/** The server's end of editor tunnels, without agents behind it. */
export async function startDialServer(onDial: (dial: Dial) => void) {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 * 1024 });
  let refusal: Refusal;
  http.on("upgrade", (request, socket, head) => {
    const url = new URL(request.url ?? "", "http://host");
    if (refusal !== undefined || url.pathname !== DIAL_PATH) {
      const { status, body } = refusal ?? { status: 404, body: "" };
      const length = Buffer.byteLength(body);
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: ${length}\r\n\r\n${body}`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { authorization } = request.headers;
      onDial({ socket: webSocket, query: url.searchParams, authorization });
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    refuse(next: Refusal) {
      refusal = next;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}
