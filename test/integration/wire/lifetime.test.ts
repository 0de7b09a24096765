import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Connection } from "@rport/protocol/wire/connection";
import { encodeMessage } from "@rport/protocol/wire/connection/messages";
import {
  type ServerTransportDeps,
  serverTransport,
  type Transport,
} from "@rport/protocol/wire/transport";
import { rawSocket } from "@rport/protocol/wire/transport/websocket";
import { RequestRefused, WireError } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { FakeClock } from "../../support/clock.ts";
import { RawPeer } from "../../support/faults/rawPeer.ts";
import {
  clientOf,
  connectPair,
  dial,
  LOGIN,
  listen,
  REFUSE_ALL,
  SERVER_KEY,
} from "../../support/wire/wirePair.ts";

/** A listener that keeps the one transport made on it. */
async function oneServer(options: Partial<ServerTransportDeps> = {}) {
  const accepted = Promise.withResolvers<{ transport: Transport; ws: WebSocket }>();
  const listener = await listen((ws) => {
    const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN, ...options });
    accepted.resolve({ transport, ws });
  });
  return { listener, accepted: accepted.promise };
}

describe("a connection ends", () => {
  it("when the peer vanishes without a word (F-08)", async () => {
    await using pair = await connectPair();
    const open = pair.client.open("rport", Buffer.alloc(0)).catch((error: unknown) => error);
    const asked = pair.server.request("ping").catch((error: unknown) => error);
    rawSocket(pair.clientSocket).resetAndDestroy();
    expect((await pair.server.closed).kind).toBe("lost");
    expect((await pair.client.closed).kind).toBe("lost");
    expect(await asked).toBeInstanceOf(Error);
    expect(await open).toBeInstanceOf(WireError);
  });

  it("without reading on, when a message is too large, and the peer is told (F-09)", async () => {
    const { listener, accepted } = await oneServer({ limits: { packetAfterLogin: 64 << 10 } });
    await using _ = listener;
    const peer = new RawPeer({ url: listener.url, stage: "login" });
    await peer.reached.promise;
    const { transport, ws } = await accepted;
    const socket = rawSocket(ws);
    const ended = once(peer.ws, "close");
    for (let n = 0; n < 48; n += 1) peer.ws.send(Buffer.alloc(64 << 10), { fin: false });
    expect(await transport.closed).toMatchObject({ kind: "size" });
    const [code] = await ended;
    expect(code).toBe(1009);
    // Of 3 MiB.
    expect(socket.bytesRead).toBeLessThan(1 << 20);
  });

  it("with the reason the other end gave", async () => {
    await using pair = await connectPair();
    pair.server.close("superseded by a newer connection");
    expect(await pair.server.closed).toEqual({
      kind: "local",
      text: "superseded by a newer connection",
    });
    expect(await pair.client.closed).toEqual({
      kind: "remote",
      text: "superseded by a newer connection",
    });
  });

  it("when nobody logs in within the time (C-14, F-14)", async () => {
    const clock = new FakeClock();
    const { listener, accepted } = await oneServer({ clock, limits: { handshakeMs: 20_000 } });
    await using _listener = listener;
    const ws = dial(listener.url);
    await once(ws, "open");
    const { transport } = await accepted;
    const closed = once(ws, "close");
    clock.advance(19_999);
    expect(transport.isClosed).toBe(false);
    clock.advance(1);
    expect((await transport.closed).kind).toBe("timeout");
    await expect(transport.ready).rejects.toMatchObject({ kind: "timeout" });
    await closed;
  });

  it("when a key exchange we started is never answered (C-12)", async () => {
    const clock = new FakeClock();
    const { listener, accepted } = await oneServer({ clock });
    await using _listener = listener;
    let isSilent = false;
    const onWrite = (bytes: Buffer) => (isSilent ? Buffer.alloc(0) : bytes);
    const peer = new RawPeer({ url: listener.url, stage: "login", onWrite });
    await peer.reached.promise;
    const { transport } = await accepted;
    await transport.ready;
    expect(clock.timers).toBe(0);
    isSilent = true;
    transport.rekey();
    clock.advance(30_000);
    expect(await transport.closed).toEqual({
      kind: "timeout",
      text: "a key exchange did not end in time",
    });
    peer.ws.terminate();
  });

  it("when a reply is overdue, because later ones could not be matched", async () => {
    await using pair = await connectPair({
      client: { onRequest: () => new Promise(() => {}) },
    });
    await expect(pair.server.request("ping", undefined, 20)).rejects.toMatchObject({
      kind: "timeout",
      message: "no reply to ping in time",
    });
    expect((await pair.server.closed).kind).toBe("timeout");
  });

  it("before it was open, when the server is not there", async () => {
    const listener = await listen(() => {});
    await listener[Symbol.asyncDispose]();
    const transport = clientOf(dial(listener.url));
    await expect(transport.ready).rejects.toMatchObject({ kind: "lost" });
  });

  it("while the socket is still connecting, when we close it", async () => {
    await using listener = await listen(() => {});
    const transport = clientOf(dial(listener.url));
    transport.close("changed my mind");
    expect(await transport.closed).toEqual({ kind: "local", text: "changed my mind" });
  });

  it("C-24: when the login could not be checked, without an answer about the secret", async () => {
    const check = async () => {
      throw new Error("the store is gone: password=1234");
    };
    const { listener } = await oneServer({ login: { check } });
    await using _listener = listener;
    const transport = clientOf(dial(listener.url));
    expect(await transport.closed).toEqual({
      kind: "remote",
      text: "the login could not be checked",
    });
  });
});

describe("bytes", () => {
  it("F-13: may arrive one at a time", async () => {
    const { listener, accepted } = await oneServer();
    await using _listener = listener;
    const onWrite = (bytes: Buffer) => bytes;
    const peer = new RawPeer({ url: listener.url, stage: "login", onWrite });
    const { ws } = peer;
    const send = ws.send.bind(ws) as (data: Buffer | string) => void;
    ws.send = (data: unknown) => {
      for (const byte of Buffer.from(data as Buffer)) send(Buffer.of(byte));
    };
    await peer.reached.promise;
    const { transport } = await accepted;
    const connection = new Connection(transport, {
      ...REFUSE_ALL,
      onRequest: (_name, payload) => payload,
    });
    const payload = Buffer.from("slowly");
    peer.send(encodeMessage({ kind: "globalRequest", name: "echo", wantReply: true, payload }));
    await expect.poll(() => peer.received).toEqual([{ kind: "globalSuccess", payload }]);
    connection.close("done");
  });

  it("F-13: may arrive as one packet of 16 MiB where that is allowed", async () => {
    const sizes: number[] = [];
    const { listener, accepted } = await oneServer();
    await using _listener = listener;
    const peer = new RawPeer({ url: listener.url, stage: "login" });
    await peer.reached.promise;
    const { transport } = await accepted;
    transport.allowPackets(16 << 20);
    const connection = new Connection(transport, {
      ...REFUSE_ALL,
      onRequest: (_name, { length }) => void sizes.push(length),
    });
    const payload = Buffer.alloc((16 << 20) - 100);
    peer.send(
      encodeMessage({ kind: "globalRequest", name: "cmd_result", wantReply: false, payload }),
    );
    await expect.poll(() => sizes).toEqual([payload.length]);
    connection.close("done");
  });

  it("that come right after the login wait for whoever listens later", async () => {
    const { listener, accepted } = await oneServer();
    await using _listener = listener;
    const peer = new RawPeer({ url: listener.url, stage: "login" });
    await peer.reached.promise;
    for (const name of ["a", "b", "c"]) {
      const payload = Buffer.alloc(0);
      peer.send(encodeMessage({ kind: "globalRequest", name, wantReply: false, payload }));
    }
    const { transport, ws } = await accepted;
    await expect.poll(() => ws.isPaused).toBe(true);
    const seen: string[] = [];
    const onRequest = (name: string) => void seen.push(name);
    const connection = new Connection(transport, { ...REFUSE_ALL, onRequest });
    await expect.poll(() => seen).toEqual(["a", "b", "c"]);
    expect(ws.isPaused).toBe(false);
    connection.close("done");
  });
});

describe("what we send", () => {
  it("is refused above 250 000 bytes, before anything goes out", async () => {
    await using pair = await connectPair({ client: { onRequest: () => Buffer.alloc(0) } });
    const large = Buffer.alloc(250_001);
    expect(() => pair.server.notify("run_cmd", large)).toThrow("too large to send");
    await expect(pair.server.request("run_cmd", large)).rejects.toMatchObject({ kind: "limit" });
    await expect(pair.server.open("rport", large)).rejects.toMatchObject({ kind: "limit" });
    expect((await pair.server.request("ping", Buffer.alloc(250_000))).ok).toBe(true);
  });

  it("tells nothing of a handler that failed but that it failed", async () => {
    const faults: string[] = [];
    await using pair = await connectPair({
      client: {
        onRequest(name) {
          if (name === "refused") throw new RequestRefused("client is already connected");
          throw new Error("secret=1234");
        },
        onOpen() {
          throw new Error("secret=1234");
        },
        onFault: (_error, name) => void faults.push(name),
      },
    });
    const texts = await Promise.all(
      ["refused", "broken"].map(async (name) =>
        (await pair.server.request(name)).payload.toString(),
      ),
    );
    expect(texts).toEqual(["client is already connected", "internal error"]);
    await expect(pair.server.open("rport", Buffer.alloc(0))).rejects.toThrow("internal error");
    expect(faults).toEqual(["broken", "rport"]);
  });

  it("waits for the login", async () => {
    const { listener } = await oneServer();
    await using _listener = listener;
    const transport = clientOf(dial(listener.url));
    const connection = new Connection(transport, REFUSE_ALL);
    expect(() => connection.notify("ping", Buffer.alloc(0))).toThrow("before the login");
    await expect(connection.request("ping")).rejects.toMatchObject({ kind: "local" });
    connection.close("done");
  });
});

it("ssh2 loaded with its own ciphers is noticed at the first handshake", async () => {
  const worker = new Worker(new URL("../../support/wire/staleSsh2.ts", import.meta.url));
  const [text] = (await once(worker, "message")) as [string];
  await worker.terminate();
  expect(text).toMatch(/^ssh2 was loaded before wire\/ssh2\/ssh2Ciphers/);
});
