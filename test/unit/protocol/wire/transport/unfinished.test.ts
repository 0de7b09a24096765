import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Unfinished } from "@rport/protocol/wire/transport/unfinished";
import { keptByReceiver } from "@rport/protocol/wire/transport/websocket";
import { describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { eventually } from "../../../../support/eventually.ts";

const OPCODE = { more: 0, binary: 2, pong: 10 } as const;
const FIN = 0x80;

/** A frame of a client, with a mask of zeros. */
function frame(opcode: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.of(opcode, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  if (length < 126) return Buffer.concat([Buffer.of(opcode, 0x80 | length, 0, 0, 0, 0), payload]);
  head.writeUInt32BE(length, 6);
  return Buffer.concat([head, payload]);
}

/** 64 KiB of frames that say nothing. */
const FILLER = Buffer.concat(
  Array.from({ length: 500 }, () => frame(FIN | OPCODE.pong, Buffer.alloc(125))),
);

/** A granted socket, its peer, and what it was told that an unfinished message costs. */
async function granted() {
  const server = createServer();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1 << 20,
    maxFragments: 65_536,
  });
  const ws = Promise.withResolvers<WebSocket>();
  server.on("upgrade", (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (one) => ws.resolve(one)),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const peer = connect({ port, host: "127.0.0.1", noDelay: true });
  peer.write(
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  const messages: Buffer[] = [];
  const kept: number[] = [];
  const socket = await ws.promise;
  socket.on("message", (data: Buffer) => messages.push(data));
  const unfinished = Unfinished.watch(socket, (bytes) => kept.push(bytes));
  return {
    peer,
    socket,
    messages,
    kept,
    unfinished,
    [Symbol.asyncDispose]: async () => {
      peer.destroy();
      socket.terminate();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends so that each piece is read by itself: only when the one before is there. */
async function dribble(peer: Socket, socket: WebSocket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += 1) {
    const before = keptByReceiver(socket).bytes;
    peer.write(bytes.subarray(at, at + 1));
    await eventually(() => expect(keptByReceiver(socket).bytes).toBe(before + 1));
  }
}

describe("F-14: a message that is not complete", () => {
  it("keeps one byte of each read, and not the read", async () => {
    await using side = await granted();
    const { peer, socket, messages, kept } = side;
    for (let n = 0; n < 100; n += 1) {
      peer.write(Buffer.concat([frame(n === 0 ? OPCODE.binary : 0, Buffer.of(n)), FILLER]));
    }
    await eventually(() => expect(keptByReceiver(socket).bytes).toBe(100));
    const { pieces, memoryBytes } = keptByReceiver(socket);
    expect(pieces).toBeLessThan(30);
    expect(memoryBytes).toBeLessThan(160 << 10);
    expect(Math.max(0, ...kept)).toBeLessThan(240 << 10);
    peer.write(frame(FIN | OPCODE.more, Buffer.of(100)));
    await eventually(() => expect(messages).toHaveLength(1));
    expect(messages[0]).toEqual(Buffer.from(Array.from({ length: 101 }, (_, n) => n)));
  });

  it("keeps thousands of fragments of one read as one", async () => {
    await using side = await granted();
    const { peer, socket, messages } = side;
    const fragments = Array.from({ length: 10_000 }, (_, n) =>
      frame(n === 0 ? OPCODE.binary : 0, Buffer.of(n % 251)),
    );
    peer.write(Buffer.concat(fragments));
    await eventually(() => expect(keptByReceiver(socket).bytes).toBe(10_000));
    expect(keptByReceiver(socket).pieces).toBeLessThan(100);
    peer.write(frame(FIN | OPCODE.more, Buffer.of(1)));
    await eventually(() => expect(messages[0]).toHaveLength(10_001));
    expect(messages[0]?.[9_999]).toBe(9_999 % 251);
    expect(keptByReceiver(socket)).toMatchObject({ isNothing: true, pieces: 0, memoryBytes: 0 });
  });

  it("keeps a frame that comes byte by byte in few pieces", async () => {
    await using side = await granted();
    const { peer, socket, messages } = side;
    peer.write(frame(FIN | OPCODE.binary, Buffer.alloc(0), 300));
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, n) => n % 251));
    await dribble(peer, socket, bytes.subarray(0, 299));
    expect(keptByReceiver(socket).pieces).toBeLessThan(30);
    peer.write(bytes.subarray(299));
    await eventually(() => expect(messages).toEqual([bytes]));
  });

  it("is told from its first byte on, however little it costs", async () => {
    await using side = await granted();
    const { peer, kept, unfinished } = side;
    peer.write(frame(FIN | OPCODE.binary, Buffer.alloc(0), 400_000));
    await eventually(() => expect(kept.at(-1)).toBeGreaterThan(0));
    expect(kept.at(-1)).toBeLessThan(1_000);
    expect(unfinished.bytes).toBe(0);
    peer.write(Buffer.alloc(1_000));
    await eventually(() => expect(unfinished.bytes).toBe(1_000));
  });

  it("is told with all that it costs, and again when it is complete", async () => {
    await using side = await granted();
    const { peer, socket, kept, messages } = side;
    const half = Buffer.alloc(200_000, 1);
    peer.write(frame(FIN | OPCODE.binary, half, 400_000));
    await eventually(() => expect(keptByReceiver(socket).bytes).toBe(200_000));
    expect(kept.at(-1)).toBeGreaterThan(180_000);
    expect(kept.at(-1)).toBeLessThan(450_000);
    peer.write(half);
    await eventually(() => expect(messages[0]).toHaveLength(400_000));
    expect(kept.at(-1)).toBe(0);
  });
});
