import { describe, expect, it } from "vitest";
import { Bursts } from "../../../../backend/src/audit/bursts.ts";
import type { AuditEntry } from "../../../../backend/src/audit/entry.ts";
import { noAudit } from "../../../support/backend/noAudit.ts";
import { FakeClock } from "../../../support/clock.ts";

function make(more: { max?: number; keysMax?: number; keysPerHour?: number } = {}) {
  const entries: AuditEntry[] = [];
  const clock = new FakeClock();
  const audit = { ...noAudit, note: (one: AuditEntry) => void entries.push(one) };
  const bursts = new Bursts({ audit, clock, ...more });
  return { entries, clock, audit, bursts };
}

const failed = (remoteIp: string, affectedId = "fleet"): AuditEntry => ({
  application: "client.auth",
  action: "failed",
  remoteIp,
  affectedId,
  request: { reason: "wrong" },
});

describe("a burst of entries", () => {
  it("is written one by one up to a number, then counted in one entry", () => {
    const { entries, clock, bursts } = make();
    for (let n = 0; n < 1_000; n += 1) bursts.note("a", failed("192.0.2.1", `id-${n % 2}`));
    expect(entries).toHaveLength(5);
    clock.advance(60_000);
    expect(entries).toHaveLength(6);
    expect(entries[5]).toMatchObject({
      application: "client.auth",
      action: "failed",
      remoteIp: "192.0.2.1",
      response: { more: 995, within_seconds: 60 },
    });
    expect(entries[5]?.affectedId).toBeUndefined();
    bursts.note("a", failed("192.0.2.1"));
    expect(entries).toHaveLength(7);
  });

  it("says nothing more when there was nothing more, and keeps no timer", () => {
    const { entries, clock, bursts } = make();
    bursts.note("a", failed("192.0.2.1"));
    clock.advance(60_000);
    expect([entries.length, clock.timers]).toEqual([1, 0]);
  });

  it("ends after its own minute, whenever others began, with one timer for all", () => {
    const { entries, clock, bursts } = make({ max: 1 });
    const twice = (key: string) => {
      bursts.note(key, failed(key));
      bursts.note(key, failed(key));
    };
    twice("192.0.2.1");
    clock.advance(20_000);
    twice("192.0.2.2");
    expect([entries.length, clock.timers]).toEqual([2, 1]);
    clock.advance(40_000);
    expect(entries.slice(2).map(({ remoteIp }) => remoteIp)).toEqual(["192.0.2.1"]);
    clock.advance(19_999);
    expect([entries.length, clock.timers]).toEqual([3, 1]);
    clock.advance(1);
    expect(entries.slice(3).map(({ remoteIp }) => remoteIp)).toEqual(["192.0.2.2"]);
    expect(clock.timers).toBe(0);
  });

  it("from more sources than are told apart is still counted in full", () => {
    const { entries, clock, bursts } = make({ max: 2, keysMax: 3 });
    for (let n = 0; n < 100; n += 1) bursts.note(`${n}`, failed(`192.0.2.${n}`));
    expect(entries).toHaveLength(5);
    clock.advance(60_000);
    expect(entries).toHaveLength(6);
    expect(entries[5]).toMatchObject({ affectedId: "fleet", response: { more: 95 } });
    expect(entries[5]?.remoteIp).toBeUndefined();
  });

  it("from ever other sources, minute by minute, fills no disk", () => {
    const { entries, clock, bursts } = make({ keysPerHour: 1_000 });
    for (let minute = 0; minute < 600; minute += 1) {
      for (let n = 0; n < 100; n += 1) {
        const source = `2001:db8:${minute}:${n}::/64`;
        for (let again = 0; again < 6; again += 1) bursts.note(source, failed(source));
      }
      clock.advance(60_000);
    }
    const counted = entries.reduce((sum, { response }) => sum + Number(response?.more ?? 1), 0);
    expect(counted).toBe(600 * 100 * 6);
    // 1,000 sources at once and 1,000 in each of ten hours, six entries each; and one a minute.
    expect(entries.length).toBeLessThanOrEqual(11_000 * 6 + 600 * 6);
    const lastHour = entries.length;
    for (let n = 0; n < 6_000; n += 1) bursts.note(`late ${n}`, failed("192.0.2.1"));
    expect(entries.length - lastHour).toBeLessThan(100);
  });

  it("is written at the end, also when its minute is not over", () => {
    const { entries, clock, bursts } = make({ max: 1 });
    for (let n = 0; n < 3; n += 1) bursts.note("a", failed("192.0.2.1"));
    bursts.close();
    expect(entries[1]).toMatchObject({ response: { more: 2 } });
    expect(clock.timers).toBe(0);
  });
});
