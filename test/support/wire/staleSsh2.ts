/**
 * Run in a worker: loads ssh2 before our ciphers could get in, then tries a handshake in memory.
 */
import { parentPort } from "node:worker_threads";
import "ssh2";

const { serverKeyFromSeed } = await import("@rport/protocol/wire/serverKey");
const { Ssh2Engine } = await import("@rport/protocol/wire/ssh2/ssh2Engine");

const events = {
  onError: () => {},
  onExchanged: () => {},
  onPayload: () => "pass" as const,
  handlers: {},
};
const limit = { packetBytes: 35_000 };
const toClient: Buffer[] = [];
const server = new Ssh2Engine(
  { role: "server", serverKey: serverKeyFromSeed("x") },
  Buffer.from("SSH-2.0-s"),
  {
    limit,
    events: { ...events, onWrite: (bytes) => void toClient.push(bytes) },
  },
);
const toServer: Buffer[] = [];
const client = new Ssh2Engine(
  { role: "client", verifyServerKey: () => true },
  Buffer.from("SSH-2.0-c"),
  {
    limit,
    events: { ...events, onWrite: (bytes) => void toServer.push(bytes) },
  },
);
try {
  server.start("SSH-2.0-c");
  client.start("SSH-2.0-s");
  while (toClient.length + toServer.length > 0) {
    for (const bytes of toServer.splice(0)) server.parse(bytes);
    for (const bytes of toClient.splice(0)) client.parse(bytes);
  }
  parentPort?.postMessage("the handshake went through");
} catch (error) {
  parentPort?.postMessage(error instanceof Error ? error.message : String(error));
}
