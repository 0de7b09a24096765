import { once } from "node:events";
import { SYSTEM_CLOCK, type WireClock } from "@rport/protocol/wire/clock";
import { Connection } from "@rport/protocol/wire/connection";
import { encodeMessage, type Message } from "@rport/protocol/wire/connection/messages";
import { HeldBytes } from "@rport/protocol/wire/held";
import { serverTransport } from "@rport/protocol/wire/transport";
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { eventually } from "../../support/eventually.ts";
import { RawPeer } from "../../support/faults/rawPeer.ts";
import {
  connectPair,
  dial,
  LOGIN,
  listen,
  REFUSE_ALL,
  SERVER_KEY,
} from "../../support/wire/wirePair.ts";

const EMPTY = Buffer.alloc(0);
const PING = encodeMessage({ kind: "ping", payload: EMPTY });
/** What a pong is on the line. */
const PONG_BYTES = 36;
/** So many small packets go into one message of the WebSocket. */
const MANY = 400;

const turn = () => new Promise(setImmediate);

/** A clock on which time passes only where `step` says so; timers are the machine's. */
function handClock(stepMs = 0) {
  const clock = { ms: 0 };
  const wire: WireClock = {
    monotonic: () => {
      clock.ms += stepMs;
      return clock.ms;
    },
    after: SYSTEM_CLOCK.after,
  };
  return { clock, wire };
}

const answered = ({ transport }: Connection) => transport.counters.bytesOut;

/** How much the server answered in each turn, until that is so much together. */
async function answersPerTurn(server: Connection, bytes: number): Promise<number[]> {
  const startBytes = answered(server);
  const perTurn: number[] = [];
  for (let before = startBytes; answered(server) - startBytes < bytes; ) {
    await turn();
    perTurn.push(answered(server) - before);
    before = answered(server);
  }
  return perTurn;
}

describe("F-16: a message of small packets", () => {
  it("is worked on a few packets at a time, and every packet is in the end", async () => {
    const { wire } = handClock(0.5);
    await using pair = await connectPair({ serverClock: wire });
    for (let n = 0; n < MANY; n += 1) pair.client.transport.send(PING);
    const perTurn = await answersPerTurn(pair.server, MANY * PONG_BYTES);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(100 * PONG_BYTES);
    expect(perTurn.reduce((sum, bytes) => sum + bytes)).toBe(MANY * PONG_BYTES);
  });

  it("stops where as many of its requests wait as may", async () => {
    const gate = Promise.withResolvers<undefined>();
    await using pair = await connectPair({ server: { onRequest: () => gate.promise } });
    const { server, client } = pair;
    for (let n = 0; n < 100; n += 1) client.notify("x", EMPTY);
    client.transport.send(PING);
    await eventually(() =>
      expect(server.transport.counters.bytesIn).toBe(client.transport.counters.bytesOut),
    );
    const before = answered(server);
    for (let n = 0; n < 10; n += 1) await turn();
    expect(answered(server)).toBe(before);
    gate.resolve(undefined);
    await eventually(() => expect(answered(server)).toBe(before + PONG_BYTES));
  });

  it("has its requests handled a few at a time, in order", async () => {
    const { clock, wire } = handClock();
    const handled: string[] = [];
    const onRequest = (name: string) => {
      handled.push(name);
      clock.ms += 0.2;
      return undefined;
    };
    await using pair = await connectPair({ serverClock: wire, server: { onRequest } });
    const names = Array.from({ length: MANY }, (_, n) => `${n}`);
    for (const name of names) pair.client.notify(name, EMPTY);
    let most = 0;
    for (let before = 0; before < MANY; ) {
      await turn();
      most = Math.max(most, handled.length - before);
      before = handled.length;
    }
    expect(handled).toEqual(names);
    expect(most).toBeLessThanOrEqual(50);
  });
});

describe("F-16: frames without bytes before the login", () => {
  it.each([
    ["pings", (ws: WebSocket) => ws.ping()],
    ["empty messages", (ws: WebSocket) => ws.send(EMPTY)],
  ])("are few, and then the connection ends: %s", async (_what, send) => {
    const accepted = Promise.withResolvers<Connection>();
    await using listener = await listen((ws) => {
      const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
      accepted.resolve(new Connection(transport, REFUSE_ALL));
    });
    const ws = dial(listener.url);
    await once(ws, "open");
    for (let n = 0; n < 65; n += 1) send(ws);
    const { closed } = await accepted.promise;
    expect(await closed).toMatchObject({ kind: "limit", text: "too many bytes before the login" });
    ws.terminate();
  });
});

describe("F-16: answers that wait for a key exchange", () => {
  it("end the connection when they are many, however small they are", async () => {
    const held = new HeldBytes({ max: 64 << 20, perConnection: 64 << 10 });
    await using pair = await connectPair({ held });
    const { server, client, clientSocket } = pair;
    // The client does not hear that the server asks for new keys.
    clientSocket.removeAllListeners("message");
    server.transport.rekey();
    for (let n = 0; n < MANY; n += 1) client.transport.send(PING);
    expect(await server.closed).toMatchObject({
      kind: "limit",
      text: "the peer does not read what it is sent",
    });
  });
});

describe("F-16: a channel's packets", () => {
  it("have at least 1 KiB: a peer that asks for less is refused the channel", async () => {
    await using listener = await listen((ws) => {
      const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
      new Connection(transport, { ...REFUSE_ALL, onOpen: () => ({ accept: () => {} }) });
    });
    const peer = new RawPeer({ url: listener.url, stage: "login" });
    await peer.reached.promise;
    const kinds = (): readonly Message["kind"][] => peer.received.map(({ kind }) => kind);
    for (const maxPacket of [1_023, 1_024]) {
      const numbers = { sender: 7, window: 1_000, maxPacket };
      peer.send(encodeMessage({ kind: "open", type: "any", ...numbers, extra: EMPTY }));
    }
    await eventually(() => expect(kinds()).toEqual(["openFailure", "openConfirmation"]));
    peer.ws.terminate();
  });
});
