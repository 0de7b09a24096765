import { describe, expect, it } from "vitest";
import { SheetModel } from "../../../extension/src/install/sheetModel.ts";
import { type Node, Nodes } from "../../../extension/src/model/node.ts";
import { Fleet } from "../../../extension/src/servers/fleet.ts";
import { LocalTunnels } from "../../../extension/src/tunnels/localTunnels.ts";
import type { RowContext } from "../../../extension/src/views/rowContext.ts";
import { rowOf, tooltipOf } from "../../../extension/src/views/rows.ts";
import { eventually } from "../../support/eventually.ts";
import { client, credential, join, offline, pairing, refusal, snapshot } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { PAIRING_ID } from "./installSheet.ts";
import { serverOn, silentLog } from "./serverFixture.ts";

/** What the computer's clock says, which the fixture starts with. */
const HERE = Date.UTC(2030, 0, 1);
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Everything that tells a time, made and ending so many minutes from what it is on the server. */
function toldBy(serverMs: number) {
  const at = (minutes: number) => new Date(serverMs + minutes * MINUTE_MS).toISOString();
  const rotation = {
    started_at: at(-60),
    grace_ends_at: at(23 * 60 + 1),
    total: 2,
    moved: 1,
    stragglers: 0,
  };
  return snapshot({
    at: at(0),
    clients: [
      offline("db-01", { disconnected_at: at(-8) }),
      client("web", { connected_at: at(-9) }),
    ],
    credentials: [
      credential("fleet", { rotation }),
      credential("lab", { rotated_at: at(-30), limits: { expires_at: at(5 * 60) } }),
    ],
    pairings: [pairing(PAIRING_ID, { credential_id: "fleet", expires_at: at(7) })],
    joins: [join("join-0001", { at: at(-10), expires_at: at(50) })],
    refusals: [refusal("refusal-1", { last_at: at(-4) })],
  });
}

/** What all rows of it say. */
function textsOf(context: RowContext, serverKey: string): readonly string[] {
  const nodes = new Nodes();
  const shown: Node[] = [
    nodes.get({ kind: "client", serverKey, clientId: "db-01", place: "clients" }),
    nodes.get({ kind: "credential", serverKey, authId: "lab" }),
    nodes.get({ kind: "rotation", serverKey, authId: "fleet" }),
    nodes.get({ kind: "pairing", serverKey, pairingId: PAIRING_ID }),
    nodes.get({ kind: "join", serverKey, joinId: "join-0001" }),
    nodes.get({ kind: "refusal", serverKey, refusalId: "refusal-1" }),
  ];
  const online = nodes.get({ kind: "client", serverKey, clientId: "web", place: "clients" });
  const lab = nodes.get({ kind: "credential", serverKey, authId: "lab" });
  const waiting = nodes.get({ kind: "join", serverKey, joinId: "join-0001" });
  return [
    ...shown.map((node) => rowOf(node, context).description),
    ...[online, lab, waiting].map((node) => tooltipOf(node, context) ?? ""),
  ];
}

async function rowsWithin(aheadMs: number) {
  await using fake = await FakeServer.start();
  fake.greeting = toldBy(HERE + aheadMs);
  using fixture = serverOn(fake);
  const { server, clock } = fixture;
  const tunnels = new LocalTunnels({ accessTo: () => server.access, clock, log: silentLog });
  const fleet = new Fleet({ tunnels, createServer: () => server });
  fleet.configure([{ name: "relay", url: server.key, fingerprint: "" }]);
  await eventually(() => expect(server.state.kind).toBe("connected"));
  return textsOf({ fleet, now: () => clock.now() }, server.key);
}

describe("a computer whose clock is wrong", () => {
  it.each([3 * HOUR_MS, -3 * HOUR_MS, 400 * 24 * HOUR_MS])(
    "F-11: is told how long ago things were, and when they end, by the server's clock: %i ms ahead",
    async (aheadMs) => {
      const right = await rowsWithin(0);
      const texts = right.join("\n");
      for (const time of ["8 min ago", "in 23 h", "in 7 min", "in 50 min", "4 min ago", "9 min"]) {
        expect(texts).toContain(time);
      }
      expect(await rowsWithin(aheadMs)).toEqual(right);
    },
  );

  it("is not taken for wrong where what a server says was on its way for a while", async () => {
    await using fake = await FakeServer.start();
    fake.greeting = toldBy(HERE - 20_000);
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect([server.time.aheadMs, server.time.nowMs]).toEqual([0, clock.now()]);
  });

  it("sees on the sheet, after a reload, whether its line works", async () => {
    await using fake = await FakeServer.start();
    fake.greeting = toldBy(HERE - 3 * HOUR_MS);
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    const model = new SheetModel({
      server,
      authId: "fleet",
      clock,
      chosen: { platform: "linux", command: "curl" },
      cards: () => [],
      onChange: () => undefined,
      onArrived: () => undefined,
    });
    model.restore(PAIRING_ID);
    await eventually(() => expect(server.state.kind).toBe("connected"));
    model.update();
    expect(model.state).toMatchObject({ clockSkewMs: -3 * HOUR_MS, line: { kind: "lost" } });
    clock.advance(8 * MINUTE_MS);
    model.update();
    expect(model.state.line.kind).toBe("expired");
  });
});
