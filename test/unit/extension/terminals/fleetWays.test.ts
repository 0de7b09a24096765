import { describe, expect, it } from "vitest";
import { recognised } from "../../../../extension/src/servers/recognised.ts";
import {
  followFleet,
  type OnItsWay,
  wayTo,
} from "../../../../extension/src/terminals/fleetWays.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { client, offline, snapshot } from "../entities.ts";
import { fleetOn } from "../people/fleetOn.ts";

const AWAY = { kind: "unavailable", reason: expect.any(String) };

/** A connected server, and what the terminal of its host web is told. */
async function terminalOn(clients = [client("web")]) {
  const servers = await fleetOn({ clients });
  const { fleet, server, fake } = servers;
  const told: string[] = [];
  const terminal = (serverKey: string): OnItsWay => ({
    place: { serverKey, clientId: "web" },
    terminal: {
      session: {
        nudge: () => told.push("nudged"),
        interrupt: (reason) => told.push(`interrupted: ${reason}`),
        refuse: (reason) => told.push(`refused: ${reason}`),
      },
    },
  });
  const held = [terminal(server.key)];
  fleet.changed.add((change) => followFleet(change, fleet, held));
  const way = wayTo(server.key, servers);
  /** Something else answers at its address from now on. */
  const impersonate = () => {
    const before = snapshot();
    const other = { ...before.server, fingerprint_sha256: "SHA256:another" };
    fake.greeting = snapshot({ server: other });
    fake.cut();
  };
  return { ...servers, told, way, impersonate };
}

describe("the way to the terminals of a server", () => {
  it("is there while the server is the one that it should be", async () => {
    await using one = await terminalOn();
    expect(await one.way()).toMatchObject({ kind: "ready", authorization: "Bearer good-token" });
  });

  it("ends where another key answers: what is open is cut, and no token is given out", async () => {
    await using one = await terminalOn();
    const { server, clock, told, way, impersonate } = one;
    impersonate();
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    expect(await way()).toMatchObject(AWAY);
    clock.advance(500);
    const early = way();
    await eventually(() => expect(server.state.kind).toBe("changed"));
    expect(await early).toMatchObject(AWAY);
    expect(await way()).toMatchObject(AWAY);
    expect(told).toEqual([expect.stringMatching(/^interrupted: .*another key than before/)]);
    server.acceptFingerprint("SHA256:another");
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(told.at(-1)).toBe("nudged");
    expect(await way()).toMatchObject({ kind: "ready" });
  });

  it("waits for a server that is about to show its key, and not for long", async () => {
    await using one = await terminalOn();
    const { server, clock, fake, way } = one;
    const slow = Promise.withResolvers<void>();
    fake.slowness = slow.promise;
    server.connect();
    const patient = way();
    const impatient = way();
    clock.advance(20_000);
    expect(await Promise.all([patient, impatient])).toMatchObject([AWAY, AWAY]);
    const again = way();
    slow.resolve();
    expect(await again).toMatchObject({ kind: "ready" });
  });

  it("is tried at once where somebody waits for it", async () => {
    await using one = await terminalOn();
    const { server, fake } = one;
    fake.cut();
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    const urgent = recognised(server, { clock: new FakeClock(), isUrgent: true });
    expect(await urgent()).toMatchObject({ kind: "ready" });
    expect(server.state.kind).toBe("connected");
  });

  it("is gone with the sign-in", async () => {
    await using one = await terminalOn();
    one.server.signOut();
    expect(one.told).toEqual(["refused: You are not signed in."]);
    expect(await one.way()).toEqual({ kind: "gone", reason: "You are not signed in." });
  });

  it("is gone with the server", async () => {
    await using one = await terminalOn();
    one.fleet.configure([]);
    const reason = "Its server is not among yours any more.";
    expect(one.told).toEqual([`refused: ${reason}`]);
    expect(await one.way()).toEqual({ kind: "gone", reason });
  });

  it("is tried again when the host is back", async () => {
    await using one = await terminalOn([offline("web"), offline("db")]);
    const { fake, told } = one;
    const change = (id: string, seq: number) =>
      fake.send({
        type: "delta",
        seq,
        at: "2030-01-01T00:00:01Z",
        changes: [{ entity: "client", id, value: client(id) }],
      } as Parameters<typeof fake.send>[0]);
    change("db", 2);
    change("web", 3);
    await eventually(() => expect(told).toEqual(["nudged"]));
  });
});
