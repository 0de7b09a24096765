import { once } from "node:events";
import { type AddressInfo, connect, createServer, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../../backend/src/limits/limitTable.ts";
import { OpenSockets } from "../../../../backend/src/sockets/openSockets.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { everythingRead } from "../../../support/everythingRead.ts";
import { testLog } from "../../../support/log.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A port whose connections are counted, and callers of it from addresses of this machine. */
async function setUp(values: SetLimits, proxies: readonly string[] = []) {
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const limits = new Limits({ values, clock, log });
  const sockets = new OpenSockets({
    limits,
    isProxy: (one) => proxies.includes(one),
    clock,
    onFault: (error) => {
      throw error;
    },
  });
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    accepted.resolve({ socket, isIn: sockets.enter(socket) });
  });
  let accepted = Promise.withResolvers<{ socket: Socket; isIn: boolean }>();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const open: Socket[] = [];
  closing.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  /** Connects from an address; resolves when the server has decided. */
  const call = async (from: string) => {
    accepted = Promise.withResolvers();
    const caller = connect({ port, host: "127.0.0.1", localAddress: from });
    caller.on("error", () => {});
    open.push(caller);
    return { caller, ...(await accepted.promise) };
  };
  return { clock, limits, lines, sockets, call };
}

describe("F-16 the connections that are open", () => {
  it("are counted until they end", async () => {
    const { sockets, call } = await setUp({});
    const { caller } = await call("127.0.0.1");
    await call("127.0.0.1");
    expect(sockets.counts).toMatchObject({ open: 2, refused: 0 });
    caller.destroy();
    await eventually(() => expect(sockets.counts.open).toBe(1));
  });

  it("are as many from one network as the limit says, save from a proxy", async () => {
    const { sockets, lines, call } = await setUp({ sockets_per_network: 2 }, ["127.0.0.7"]);
    const own = [await call("127.0.0.1"), await call("127.0.0.1"), await call("127.0.0.1")];
    expect(own.map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
    expect((await call("127.0.0.2")).isIn).toBe(true);
    for (let n = 0; n < 5; n += 1) expect((await call("127.0.0.7")).isIn).toBe(true);
    expect(sockets.counts.refused).toBe(1);
    expect(lines.join("\n")).toContain('"limit":"sockets_per_network"');
  });

  it("count for their network until somebody vouches for them: a whole fleet may share an address", async () => {
    const { sockets, call } = await setUp({ sockets_per_network: 2 });
    for (let n = 0; n < 5; n += 1) sockets.vouch((await call("127.0.0.1")).socket);
    const own = [await call("127.0.0.1"), await call("127.0.0.1")];
    expect(own.map(({ socket }) => socket.destroyed)).toEqual([false, false]);
    await eventually(() => expect(sockets.counts).toMatchObject({ open: 7, refused: 0 }));
    await call("127.0.0.1");
    await eventually(() => expect(sockets.counts).toMatchObject({ open: 7, refused: 1 }));
  });

  it("F-16 of a neighbour keep nobody of the same network out, however many there are", async () => {
    const { sockets, call } = await setUp({ sockets_per_network: 3 });
    const [busy, quiet] = [await call("127.0.0.1"), await call("127.0.0.1")];
    const agent = await call("127.0.0.1");
    for (const { socket } of [busy, quiet]) sockets.stir(socket);
    sockets.vouch(agent.socket);
    await call("127.0.0.1");
    sockets.stir(busy.socket);
    const late = await call("127.0.0.1");
    expect(late.isIn).toBe(true);
    const ended = [busy, quiet, agent, late].map(({ socket }) => socket.destroyed);
    expect(ended).toEqual([false, true, false, false]);
  });

  it("F-14 make room when they asked for nothing, the longest silent one first", async () => {
    const { clock, call, sockets } = await setUp({ silent_sockets_per_network: 2 });
    const first = await call("127.0.0.1");
    const asking = await call("127.0.0.1");
    const second = await call("127.0.0.1");
    sockets.stir(asking.socket);
    clock.advance(999);
    await call("127.0.0.1");
    expect(first.socket.destroyed).toBe(false);
    clock.advance(1);
    await call("127.0.0.1");
    const ended = () => [first, second, asking].map(({ socket }) => socket.destroyed);
    await eventually(() => expect(ended()).toEqual([true, false, false]));
  });

  it("F-03 are not silent while they wait for us, in the midst of a TLS handshake", async () => {
    const { clock, call, sockets } = await setUp({ silent_sockets_per_network: 2 });
    const waiting = [await call("127.0.0.1"), await call("127.0.0.1"), await call("127.0.0.1")];
    for (const { socket } of waiting) sockets.stir(socket);
    clock.advance(5_000);
    await call("127.0.0.1");
    await everythingRead();
    expect(waiting.map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
    // it was their turn, and now we wait for them
    for (const { socket } of waiting) sockets.hush(socket);
    clock.advance(1_001);
    // each that comes ends one that is silent for a second, the longest silent one first
    await call("127.0.0.1");
    await everythingRead();
    await call("127.0.0.1");
    const ended = () => waiting.filter(({ socket }) => socket.destroyed).length;
    await eventually(() => expect(ended()).toBeGreaterThan(0));
    expect((await call("127.0.0.2")).socket.destroyed).toBe(false);
  });

  it("F-03 are not silent whose requests had arrived and lay unread", async () => {
    const { clock, call, limits, sockets } = await setUp({ silent_sockets_per_network: 1 });
    const first = await call("127.0.0.1");
    clock.advance(3_000);
    await call("127.0.0.1");
    // The server reads this in the turn in which it is judged, or in the next.
    sockets.stir(first.socket);
    await everythingRead();
    expect(first.socket.destroyed).toBe(false);
    expect(limits.states().filter(({ bites }) => bites > 0)).toEqual([]);
  });

  it("make room when all places are taken, save those that somebody vouched for", async () => {
    const { call, sockets, lines } = await setUp({ sockets: 3 });
    const known = await call("127.0.0.1");
    sockets.vouch(known.socket);
    const busy = await call("127.0.0.2");
    const quiet = await call("127.0.0.3");
    sockets.stir(busy.socket);
    const next = await call("127.0.0.4");
    expect(next.isIn).toBe(true);
    const ended = [known, busy, quiet].map(({ socket }) => socket.destroyed);
    expect(ended).toEqual([false, false, true]);
    await eventually(() => expect(sockets.counts.open).toBe(3));
    for (const { socket } of [busy, next]) sockets.vouch(socket);
    expect((await call("127.0.0.5")).isIn).toBe(false);
    expect(sockets.counts.refused).toBe(2);
    expect(lines.join("\n")).toContain('"limit":"sockets"');
  });

  it("leave places for people that neither agents nor tunnels take", async () => {
    const { call, sockets } = await setUp({ sockets: 8, sockets_kept_for_people: 100 });
    for (let n = 0; n < 7; n += 1) sockets.vouch((await call("127.0.0.1")).socket);
    expect(sockets.hasRoom()).toBe(false);
    const tunnel = new Socket();
    expect(sockets.enterTunnel(tunnel)).toBe(false);
    expect(tunnel.destroyed).toBe(true);
    const stranger = await call("127.0.0.2");
    expect(stranger.isIn).toBe(true);
    expect(sockets.hasRoom()).toBe(true);
    expect(stranger.socket.destroyed).toBe(true);
  });
});
