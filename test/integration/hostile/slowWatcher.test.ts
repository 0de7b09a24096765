import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { EVENT_MESSAGE_MAX_BYTES, type EventMessage } from "@rport/protocol/events";
import { pairingSchema } from "@rport/protocol/pairing/model";
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { EventHub } from "../../../backend/src/events/hub.ts";
import { EVERYTHING } from "../../../backend/src/events/sight.ts";
import { serveEvents } from "../../../backend/src/events/socket.ts";
import { serverStatus } from "../../../backend/src/status.ts";
import { emptySources } from "../../support/backend/eventSources.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { testLog } from "../../support/log.ts";

const BACKLOG_MAX_BYTES = 8 * 1_048_576;
/** Far more than what the system's own buffers take. */
const MANY = 400;
/** About 100 kB. */
const LARGE = pairingSchema.parse({
  id: "0000000000000000",
  credential_id: "fleet",
  state: "active",
  created_at: "2030-01-01T00:00:00Z",
  expires_at: "2030-01-01T00:10:00Z",
  uses: 1,
  uses_left: 1,
  claims: Array.from({ length: 100 }, () => ({
    client_id: "web",
    hostname: "h".repeat(1_000),
    address: "192.0.2.7",
    at: "2030-01-01T00:00:00Z",
  })),
});

/** The event socket on a port: so many large pairings, and a server status of any size, to tell. */
async function startEvents(pairings = 0) {
  const clock = new FakeClock();
  let urlBytes = 0;
  const plain = serverStatus({
    connections: { open: 0, max: 1, refused: 0 },
    counts: { connected: 0, disconnected: 0 },
    fingerprints: { sha256: "", md5: "" },
    serverUrls: [],
    passwordMinLength: 12,
    agentTargets: { available: [], missing: [] },
  });
  const status = () => ({ ...plain, pairing_url: "x".repeat(urlBytes) });
  const ids = Array.from({ length: pairings }, (_, n) => String(n));
  const pairing = { ids: () => ids, get: () => LARGE };
  const sources = { ...emptySources(), server: status, pairing };
  const { log } = testLog();
  const hub = new EventHub({ sources, clock, log, backlogMaxBytes: BACKLOG_MAX_BYTES });
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on("connection", (socket) => serveEvents(socket, hub, EVERYTHING));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    hub,
    /** The server's ends of the open sockets. */
    accepted: sockets.clients,
    connect: () =>
      new WebSocket(`ws://127.0.0.1:${port}`, { maxPayload: 4 * EVENT_MESSAGE_MAX_BYTES }),
    tell(bytes: number): void {
      urlBytes = bytes;
      hub.touch("server", "");
      clock.advance(50);
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
  let hasMore = true;
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as EventMessage;
    sequence.push(message.seq);
    if (message.type !== "delta") hasMore = message.more;
  });
  const closed = once(socket, "close").then(([code]) => code as number);
  return { sequence, closed, isComplete: () => !hasMore };
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

it("holds nothing for a reader that stops in a snapshot but what it shares with all", async () => {
  await using events = await startEvents(MANY);
  const reader = events.connect();
  const { sequence } = watch(reader);
  await once(reader, "message");
  reader.pause();
  const healthy = events.connect();
  const other = watch(healthy);
  await eventually(() => expect(other.isComplete()).toBe(true));
  events.tell(1);
  events.tell(1);
  await eventually(() => expect(other.sequence.slice(-2)).toEqual([1, 2]));

  const [stopped] = events.accepted;
  expect(stopped?.bufferedAmount).toBeGreaterThan(0);
  expect(stopped?.bufferedAmount).toBeLessThan(EVENT_MESSAGE_MAX_BYTES);
  expect(events.hub.watchers).toBe(2);
  reader.resume();
  await eventually(() => expect(sequence).toEqual(other.sequence));
  expect(sequence.length).toBeGreaterThan(MANY / 10);
});
