import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { ConnectionRoom } from "../../../../extension/src/tunnels/connectionRoom.ts";
import { Forwarder } from "../../../../extension/src/tunnels/forwarder.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { startDialServer } from "../fakeDialServer.ts";
import { silentLog } from "../serverFixture.ts";

const TUNNEL_MAX = 256;
const WINDOW_MAX = 512;
const MORE = 40;
const WHY = "A tunnel has 256 connections at once at the most.";

/** A tunnel to a server that takes every dial, and what its log warns of. */
async function open() {
  let dials = 0;
  const server = await startDialServer(() => {
    dials += 1;
  });
  const clock = new FakeClock();
  const told: unknown[] = [];
  const log = { ...silentLog, warn: (...line: readonly unknown[]) => void told.push(line) };
  const url = server.url;
  const forwarder = await Forwarder.listen(
    {
      access: async () => ({ kind: "ready", url, authorization: "Bearer a-token" }),
      clientId: "web-01",
      remote: { host: "127.0.0.1", port: 80 },
      room: new ConnectionRoom({ log, clock }),
    },
    [0],
  );
  return {
    forwarder,
    clock,
    told,
    dials: () => dials,
    async [Symbol.asyncDispose]() {
      forwarder.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function arrive({ port }: Forwarder, closed: Socket[]): Socket {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.once("close", () => closed.push(socket));
  return socket;
}

describe("a tunnel to whose port a crowd comes", () => {
  it("has so many connections, closes the others at once, says so, and takes more when some end", async () => {
    await using tunnel = await open();
    const { forwarder, clock, told } = tunnel;
    const closed: Socket[] = [];
    const first = Array.from({ length: TUNNEL_MAX }, () => arrive(forwarder, closed));
    await eventually(() => expect(tunnel.dials()).toBe(TUNNEL_MAX), 20_000);
    for (let n = 0; n < MORE; n += 1) arrive(forwarder, closed);
    await eventually(() => expect(closed).toHaveLength(MORE), 20_000);
    expect(first.some((socket) => closed.includes(socket))).toBe(false);
    expect(forwarder.connections).toBe(TUNNEL_MAX);
    expect(forwarder.failure).toBe(WHY);
    clock.advance(10_000);
    expect(told).toEqual([
      ["a connection to a tunnel was refused", { why: WHY }],
      ["more connections to tunnels were refused", { connections: MORE - 1 }],
    ]);
    first[0]?.resetAndDestroy();
    await eventually(() => expect(forwarder.connections).toBe(TUNNEL_MAX - 1));
    const late = arrive(forwarder, closed);
    await once(late, "connect");
    await eventually(() => expect(tunnel.dials()).toBe(TUNNEL_MAX + 1));
    expect(forwarder.failure).toBe(undefined);
  }, 60_000);
});

describe("the room for connections of a window", () => {
  it("is shared by its tunnels", () => {
    const room = new ConnectionRoom();
    for (let n = 0; n < WINDOW_MAX; n += 1) expect(room.take(0)).toBe(undefined);
    expect(room.take(0)).toBe("The tunnels of a window have 512 connections at once at the most.");
    room.leave();
    expect(room.take(0)).toBe(undefined);
    expect(room.take(0)).toBeDefined();
  });

  it("begins a new burst after a quiet while", () => {
    const clock = new FakeClock();
    const told: unknown[] = [];
    const log = { ...silentLog, warn: (...line: readonly unknown[]) => void told.push(line) };
    const room = new ConnectionRoom({ log, clock });
    room.take(TUNNEL_MAX);
    clock.advance(10_000);
    room.take(TUNNEL_MAX);
    clock.advance(10_000);
    const once = ["a connection to a tunnel was refused", { why: WHY }];
    expect(told).toEqual([once, once]);
    expect(clock.timers).toBe(0);
  });
});
