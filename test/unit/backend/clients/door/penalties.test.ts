import { describe, expect, it } from "vitest";
import { KnownNetworks } from "../../../../../backend/src/clients/door/knownNetworks.ts";
import { Penalties } from "../../../../../backend/src/clients/door/penalties.ts";
import { FakeClock } from "../../../../support/clock.ts";

const HERE = "192.0.2.1";
const THERE = "192.0.2.2";
const DAY_MS = 24 * 3_600_000;

function setUp(known: readonly string[] = []) {
  const clock = new FakeClock();
  const penalties = new Penalties({ clock, isKnown: (network) => known.includes(network) });
  const wrong = (times: number, authId = "fleet", network = HERE): void => {
    for (let n = 0; n < times; n += 1) penalties.wrongSecret(network, authId);
  };
  return { clock, penalties, wrong };
}

describe("penalties", () => {
  it("C-33: are for a pair of network and auth id, never for the auth id alone", () => {
    const { penalties, wrong } = setUp();
    wrong(3);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(0);
    wrong(1);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(5);
    expect(penalties.pairWaitS(THERE, "fleet")).toBe(0);
    expect(penalties.pairWaitS(HERE, "other")).toBe(0);
    expect(penalties.networkWaitS(HERE)).toBe(0);
  });

  it("decay by one point a second, and nobody waits longer than ten minutes", () => {
    const { clock, penalties, wrong } = setUp();
    wrong(4);
    clock.advance(4_999);
    expect(penalties.pairWaitS(HERE, "fleet")).toBeGreaterThan(0);
    clock.advance(1);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(0);
    wrong(10_000);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(600);
    clock.advance(600_000);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(0);
  });

  it("are no matter of the machine's clock", () => {
    const { clock, penalties, wrong } = setUp();
    wrong(4);
    clock.jump(DAY_MS);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(5);
    clock.jump(-2 * DAY_MS);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(5);
  });

  it("let one host with an old secret try for a day without a penalty for its network", () => {
    const { clock, penalties, wrong } = setUp();
    for (let n = 0; n < 1_440; n += 1) {
      wrong(1);
      clock.advance(60_000);
      expect(penalties.networkWaitS(HERE)).toBe(0);
    }
    wrong(1_000);
    expect(penalties.networkWaitS(HERE)).toBe(0);
  });

  it("of many auth ids guessed from one network are the network's", () => {
    const { penalties, wrong } = setUp();
    for (const id of ["a", "b", "c"]) wrong(1, id);
    expect(penalties.networkWaitS(HERE)).toBe(0);
    wrong(1, "d");
    expect(penalties.networkWaitS(HERE)).toBe(5);
    expect(penalties.networkWaitS(THERE)).toBe(0);
  });

  it("cost 1 for silence and 10 for garbage", () => {
    const { penalties } = setUp();
    penalties.garbage(HERE);
    for (let n = 0; n < 5; n += 1) penalties.silence(HERE);
    expect(penalties.networkWaitS(HERE)).toBe(0);
    penalties.silence(HERE);
    expect(penalties.networkWaitS(HERE)).toBe(1);
    penalties.garbage(HERE);
    expect(penalties.networkWaitS(HERE)).toBe(11);
  });

  it("are tolerated tenfold where agents are", () => {
    const { penalties, wrong } = setUp([HERE]);
    wrong(30);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(0);
    wrong(1);
    expect(penalties.pairWaitS(HERE, "fleet")).toBe(5);
  });

  it("are forgotten, the oldest first, when there are more than 100,000", () => {
    const { penalties, wrong } = setUp();
    wrong(4, "first");
    wrong(4, "x".repeat(10_000));
    for (let n = 0; n < 60_000; n += 1) wrong(1, "id", `198.51.${n >> 8}.${n & 255}`);
    expect(penalties.pairWaitS(HERE, "first")).toBe(0);
    expect(penalties.pairWaitS("198.51.234.95", "id")).toBe(0);
    wrong(3, "id", "198.51.234.95");
    expect(penalties.pairWaitS("198.51.234.95", "id")).toBe(5);
  });
});

describe("a known network", () => {
  const record = (address: string, at: string | null) => ({ address, disconnected_at: at });

  it("has a session, or had a client within 30 days, by its record or since the start", () => {
    const clock = new FakeClock();
    const ago = (days: number) => new Date(clock.now() - days * DAY_MS).toISOString();
    const records = [record("192.0.2.9", ago(29)), record("192.0.2.10", ago(31))];
    const known = new KnownNetworks(clock, records);
    expect(known.has("192.0.2.9")).toBe(true);
    expect(known.has("192.0.2.10")).toBe(false);
    known.enter(HERE);
    known.enter(HERE);
    known.leave(HERE, false);
    expect(known.has(HERE)).toBe(true);
    known.leave(HERE, false);
    expect(known.has(HERE)).toBe(false);
    known.enter(HERE);
    known.leave(HERE, true);
    clock.advance(30 * DAY_MS - 1);
    expect(known.has(HERE)).toBe(true);
    clock.advance(1);
    expect(known.has(HERE)).toBe(false);
    expect(known.has("192.0.2.9")).toBe(false);
  });

  it("is the /64 of an IPv6 address", () => {
    const known = new KnownNetworks(new FakeClock(), [record("2001:db8::5", null)]);
    expect(known.has("2001:db8:0:0::/64")).toBe(true);
  });
});
