import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { REQUESTS } from "@rport/protocol/agent";
import { Connection } from "@rport/protocol/wire/connection";
import { sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import { serverTransport } from "@rport/protocol/wire/transport";
import { WebSocketServer } from "ws";
import { SERVER_KEY } from "../support/wire/wirePair.ts";
import { serve } from "./childPort.ts";
import { probeHandlers } from "./probeHandlers.ts";

// The least a server of this wire can do: it lets everybody in and remembers nothing.
const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  handleProtocols: () => false,
});
const http = createServer();
http.on("upgrade", (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (ws) => {
    const transport = serverTransport(ws, {
      serverKey: SERVER_KEY,
      login: { check: async () => true },
    });
    const connection = new Connection(transport, {
      onOpen: () => ({ refuse: "agents do not open channels" }),
      onRequest: (name) => {
        if (name !== REQUESTS.newConnection) return undefined;
        setImmediate(() => connection.notify(REQUESTS.putCapabilities, CAPABILITIES));
        return NO_TUNNELS;
      },
    });
  });
});

const NO_TUNNELS = Buffer.from("[]");
const CAPABILITIES = Buffer.from('{"ServerVersion":"1.0.0"}');

http.listen(0, "127.0.0.1", () => {
  const { port } = http.address() as AddressInfo;
  const fingerprint = sha256Fingerprint(SERVER_KEY.getPublicSSH());
  serve(probeHandlers, { server: `ws://127.0.0.1:${port}`, fingerprint });
});
