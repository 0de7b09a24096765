import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CLOSE_CODES } from "@rport/protocol/errors";
import type { EventMessage } from "@rport/protocol/events";
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { EventHub } from "../../../backend/src/events/hub.ts";
import { BACKLOG_MAX_BYTES, serveEvents } from "../../../backend/src/events/socket.ts";
import { serverStatus } from "../../../backend/src/status.ts";
import { emptySources } from "../../support/backend/eventSources.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

/** More than what the system's own buffers take, so that the rest stays with the server. */
const LARGE_BYTES = 48 * 1_048_576;

/** The event socket on a port, with a server status of any size as the only thing to tell. */
async function startEvents() {
  const clock = new FakeClock();
  let urlBytes = 0;
  const plain = serverStatus({
    connections: { open: 0, max: 1, refused: 0 },
    counts: { connected: 0, disconnected: 0 },
    fingerprints: { sha256: "", md5: "" },
    serverUrls: [],
  });
  const status = () => ({ ...plain, pairing_url: "x".repeat(urlBytes) });
  const sources = emptySources();
  const hub = new EventHub({ ...sources, server: status }, clock);
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on("connection", (socket) => serveEvents(socket, hub));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    hub,
    connect: () => new WebSocket(`ws://127.0.0.1:${port}`, { maxPayload: 2 * LARGE_BYTES }),
    tell(bytes: number): void {
      urlBytes = bytes;
      hub.touch("server", "");
      clock.advance(50);
    },
    setSize(bytes: number): void {
      urlBytes = bytes;
    },
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      http.close();
      await once(http, "close");
    },
  };
}

function watch(socket: WebSocket) {
  const sequence: number[] = [];
  socket.on("message", (data) => {
    sequence.push((JSON.parse(String(data)) as EventMessage).seq);
  });
  const closed = once(socket, "close").then(([code]) => code as number);
  return { sequence, closed };
}

it("gives up a watcher that does not read, with the code for starting over, and keeps the others", async () => {
  await using events = await startEvents();
  const stuck = events.connect();
  const slow = watch(stuck);
  await eventually(() => expect(slow.sequence).toEqual([0]));
  const healthy = watch(events.connect());
  await eventually(() => expect(healthy.sequence).toEqual([0]));
  stuck.pause();

  let told = 0;
  while (events.hub.watchers === 2 && told < 100) {
    told += 1;
    events.tell(1_048_576);
    await eventually(() => expect(healthy.sequence).toHaveLength(told + 1));
  }
  expect(events.hub.watchers).toBe(1);
  expect(told * 1_048_576).toBeGreaterThan(BACKLOG_MAX_BYTES);
  events.tell(1);
  await eventually(() => expect(healthy.sequence).toHaveLength(told + 2));

  stuck.resume();
  expect(await slow.closed).toBe(CLOSE_CODES.resync);
});

it("does not hold the size of the snapshot against a watcher that is still reading it", async () => {
  await using events = await startEvents();
  events.setSize(LARGE_BYTES);
  const reader = events.connect();
  const { sequence } = watch(reader);
  await once(reader, "open");
  reader.pause();
  await eventually(() => expect(events.hub.watchers).toBe(1));
  events.tell(1);
  events.tell(1);
  reader.resume();
  await eventually(() => expect(sequence).toEqual([0, 1, 2]));
});
