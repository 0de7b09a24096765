import { describe, expect, it } from "vitest";
import { Refusals, type RefusedAgent } from "../../../../backend/src/clients/refusals.ts";
import { authId } from "../../../support/backend/credentials.ts";
import { FakeClock } from "../../../support/clock.ts";

const HOUR_MS = 3_600_000;
const WRONG: RefusedAgent = { why: "wrong-secret", address: "192.0.2.7", authId: "fleet" };
const REVOKED: RefusedAgent = { ...WRONG, why: "revoked-credential" };

function open() {
  const clock = new FakeClock();
  const touched: string[] = [];
  const refusals = new Refusals({ clock, touch: (_entity, id) => void touched.push(id) });
  return { clock, touched, refusals };
}

describe("refusals", () => {
  it("of one kind are one entry that counts them, with its first and last time", () => {
    const { clock, refusals } = open();
    refusals.note(WRONG);
    clock.advance(5_000);
    refusals.note(WRONG);
    refusals.note({ ...WRONG, clientId: "web01", hostname: "web01.example.com" });
    expect(refusals.list()).toMatchObject([
      { count: 2, auth_id: "fleet", client_id: null, hostname: null, address: "192.0.2.7" },
      { count: 1, client_id: "web01", hostname: "web01.example.com" },
    ]);
    const [first] = refusals.list();
    expect(Date.parse(first?.last_at ?? "") - Date.parse(first?.first_at ?? "")).toBe(5_000);
    expect(refusals.get(first?.id ?? "")).toBe(first);
  });

  it("show what was claimed as one printable line of bounded length", () => {
    const { refusals } = open();
    const authIdClaim = `a\u001b[31m\u202e${"b".repeat(500)}`;
    refusals.note({ ...WRONG, authId: authIdClaim, hostname: "h\r\nX: y\ud800" });
    const [entry] = refusals.list();
    expect(entry?.auth_id).toMatch(/^a \[31m b+$/);
    expect(entry?.auth_id?.length).toBeLessThanOrEqual(128);
    expect(entry?.hostname).toBe("h X: y\ufffd");
  });

  it("of a flood with ever new claims stay few for its network, and bounded for many", () => {
    const { refusals } = open();
    for (let n = 0; n < 5_000; n += 1) refusals.note({ ...WRONG, authId: `guess-${n}` });
    expect(refusals.list().length).toBeLessThanOrEqual(65);
    expect(refusals.list().find(({ auth_id }) => auth_id === null)?.count).toBe(5_000 - 64);
    for (let n = 0; n < 5_000; n += 1) {
      refusals.note({ ...WRONG, address: `198.51.${n >> 8}.${n & 255}` });
    }
    expect(refusals.list()).toHaveLength(1_000);
  });

  it("of a /64 count as one network's", () => {
    const { refusals } = open();
    for (let n = 1; n <= 300; n += 1) {
      refusals.note({ ...WRONG, address: `2001:db8::${n.toString(16)}` });
    }
    expect(refusals.list()).toMatchObject([{ count: 300, address: "2001:db8::12c" }]);
  });

  it("of revoked credentials are not pushed out by others, and go a day after the last try", () => {
    const { clock, refusals } = open();
    refusals.note(REVOKED);
    for (let n = 0; n < 3_000; n += 1) {
      refusals.note({ ...WRONG, address: `198.51.${n >> 8}.${n & 255}` });
    }
    clock.advance(23 * HOUR_MS);
    refusals.note(REVOKED);
    clock.advance(23 * HOUR_MS);
    expect(refusals.list()).toMatchObject([{ reason: "revoked-credential", count: 2 }]);
    expect(refusals.ofCredential(authId("fleet"))).toHaveLength(1);
    clock.advance(HOUR_MS);
    expect(refusals.list()).toEqual([]);
  });

  it("of a flood reach watchers at most twice a second, each kind once", () => {
    const { clock, touched, refusals } = open();
    for (let n = 0; n < 100; n += 1) {
      refusals.note(WRONG);
      refusals.note({ ...WRONG, address: `198.51.100.${n}` });
    }
    expect(touched).toEqual([]);
    clock.advance(500);
    expect(touched).toHaveLength(101);
    expect(new Set(touched).size).toBe(101);
    clock.advance(10_000);
    expect(touched).toHaveLength(101);
  });

  it("that nobody was told of go without a word; the others are announced as gone", () => {
    const { clock, touched, refusals } = open();
    const flood = (from: number) => {
      for (let n = from; n < from + 2_000; n += 1) {
        refusals.note({ ...WRONG, address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` });
      }
    };
    flood(0);
    clock.advance(500);
    expect(touched).toHaveLength(1_000);
    flood(2_000);
    clock.advance(500);
    expect(touched.slice(1_000).filter((id) => refusals.get(id) === undefined)).toHaveLength(1_000);
    expect(touched).toHaveLength(3_000);
  });

  it("are all gone, and announced so, when they are cleared", () => {
    const { clock, touched, refusals } = open();
    refusals.note(WRONG);
    const [id] = refusals.list().map((entry) => entry.id);
    expect(refusals.clear()).toBe(1);
    clock.advance(500);
    expect(refusals.list()).toEqual([]);
    expect(touched).toEqual([id]);
    expect(clock.timers).toBeLessThanOrEqual(1);
  });
});
