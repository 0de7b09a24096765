import { once } from "node:events";
import { deltaSchema } from "@rport/protocol/events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArrangedClients } from "../../../extension/src/model/arrange.ts";
import { Mirror } from "../../../extension/src/model/mirror.ts";
import { type Node, Nodes } from "../../../extension/src/model/node.ts";
import { StaleRows } from "../../../extension/src/views/staleRows.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { seededRandom } from "../../support/random.ts";
import { client, offline, piece, snapshot } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { serverOn } from "./serverFixture.ts";

const AT = "2030-01-01T00:00:01Z";
const HOSTS = 10_000;
/** Ten seconds of fifty a second. */
const EVENTS = 500;

const deltaOf = (seq: number, value: ReturnType<typeof client>) =>
  deltaSchema.parse({
    type: "delta",
    seq,
    at: AT,
    changes: [{ entity: "client", id: value.id, value }],
  });

describe("F-26 a server that is slow", () => {
  it("is waited for when it takes half a minute to answer", async () => {
    await using fake = await FakeServer.start();
    fake.greeting = snapshot({ clients: [client("web")] });
    const { promise, resolve } = Promise.withResolvers<void>();
    fake.slowness = promise;
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    await eventually(() => expect(fake.tokens).toHaveLength(1));
    clock.advance(30_000);
    expect(server.state.kind).toBe("connecting");
    resolve();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(fake.tokens).toHaveLength(1);
  });

  it("is given up when it never answers, and tried again at a slowing pace", async () => {
    await using fake = await FakeServer.start();
    const { promise, resolve } = Promise.withResolvers<void>();
    fake.slowness = promise;
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await eventually(() => expect(fake.tokens).toHaveLength(attempt));
      clock.advance(40_000);
      const { state } = server;
      if (state.kind !== "waiting") throw new Error(state.kind);
      delays.push(state.delayMs);
      clock.advance(state.delayMs);
    }
    expect(delays).toEqual([500, 1_000, 2_000, 4_000]);
    server.disconnect();
    resolve();
  });

  it("is not given up while a snapshot trickles in, for as long as it answers pings", async () => {
    await using fake = await FakeServer.start();
    fake.greeting = snapshot({ clients: [client("a")], more: true });
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    await eventually(() => expect(server.heardAtMs).toBe(clock.now()));
    for (const id of ["b", "c", "d"]) {
      const [socket] = fake.sockets;
      const pinged = once(socket as NonNullable<typeof socket>, "ping");
      clock.advance(20_000);
      await pinged;
      fake.send(piece({ clients: [client(id)], more: true }));
      await eventually(() => expect(server.heardAtMs).toBe(clock.now()));
      expect(server.state.kind).toBe("connecting");
    }
    fake.send(piece({ clients: [client("e")] }));
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(server.clients.withStatus("online")).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("F-26 a server that comes and goes", () => {
  it("is shown as it is whenever it is there, and costs no timer or socket more each time", async () => {
    await using fake = await FakeServer.start();
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    const random = seededRandom();
    let resets = 0;
    server.changed.add(({ kind }) => {
      if (kind === "reset") resets += 1;
    });
    fake.greeting = snapshot({ clients: [client("host-0")] });
    server.connect();
    for (let round = 1; round <= 40; round += 1) {
      await eventually(() => expect(server.state.kind).toBe("connected"));
      expect(server.clients.withStatus("online")).toEqual([`host-${round - 1}`]);
      expect(resets).toBe(round);
      if (random.below(2) === 0) fake.send(deltaOf(2, offline("late")));
      fake.greeting = snapshot({ clients: [client(`host-${round}`)] });
      fake.cut();
      await eventually(() => expect(server.state.kind).toBe("waiting"));
      expect(clock.timers, `seed ${random.seed}`).toBe(1);
      clock.advance(30_000);
    }
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(fake.sockets).toHaveLength(1);
    expect(clock.timers).toBe(1);
    expect(server.mirror.maps.clients.size).toBe(1);
  }, 60_000);
});

describe("F-26 ten thousand hosts and fifty events a second", () => {
  it("leave as much in memory as there is, and each event looks at its host alone", () => {
    const mirror = new Mirror();
    const arranged = new ArrangedClients();
    mirror.apply(snapshot({ clients: Array.from({ length: HOSTS }, (_, n) => client(`h${n}`)) }));
    arranged.reset(mirror);
    for (let n = 0; n < EVENTS; n += 1) {
      const id = `h${(n * 41) % HOSTS}`;
      const applied = mirror.apply(deltaOf(n + 2, n % 2 === 0 ? offline(id) : client(id)));
      if (applied.kind !== "changed") throw new Error(applied.kind);
      expect(applied.changes).toHaveLength(1);
      for (const change of applied.changes) {
        if (change.entity === "client") arranged.update(change);
      }
    }
    expect(mirror.maps.clients.size).toBe(HOSTS);
    const [online, away] = [arranged.countOf("online"), arranged.countOf("offline")];
    expect([online + away, away]).toEqual([HOSTS, EVENTS / 2]);
    expect(arranged.withStatus("offline")).toHaveLength(EVENTS / 2);
  });

  it("lose no refresh: what became stale is drawn after that, however long drawing takes", () => {
    const nodes = new Nodes();
    const rows = Array.from({ length: 20 }, (_, n) =>
      nodes.get({ kind: "credential", serverKey: "s", authId: `c${n}` }),
    );
    const step = fc.record({ row: fc.nat(19), waitMs: fc.nat(60), cost: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const clock = new FakeClock();
        const stale = new Set<Node>();
        let cost = 0;
        let draws = 0;
        const gathering = new StaleRows({
          clock,
          draw: (drawn) => {
            draws += 1;
            if (typeof drawn !== "string") for (const { node } of drawn) stale.delete(node);
            return cost;
          },
        });
        for (const one of steps) {
          const node = rows[one.row] as Node;
          cost = one.cost;
          stale.add(node);
          gathering.add([{ kind: "row", node }]);
          clock.advance(one.waitMs);
        }
        clock.advance(1_000);
        expect(stale.size).toBe(0);
        expect(draws).toBeLessThanOrEqual(clock.monotonic() / 50);
        expect(clock.timers).toBe(0);
      }),
    );
  });
});
