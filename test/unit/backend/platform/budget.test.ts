import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Budget } from "../../../../backend/src/platform/budget.ts";
import { FakeClock } from "../../../support/clock.ts";

const ALLOWANCE = { burst: 3, perSecond: 0.5 };

function setUp(keysMax = 100) {
  const clock = new FakeClock();
  return { clock, budget: new Budget<string>({ clock, keysMax }) };
}

describe("a budget", () => {
  it("lets spend so much at once, and then as fast as it comes back", () => {
    const { clock, budget } = setUp();
    const waits = [1, 2, 3, 4].map(() => budget.spend("a", 1, ALLOWANCE));
    expect(waits).toEqual([0, 0, 0, 2_000]);
    clock.advance(1_999);
    expect(budget.spend("a", 1, ALLOWANCE)).toBeGreaterThan(0);
    clock.advance(1);
    expect(budget.spend("a", 1, ALLOWANCE)).toBe(0);
    expect(budget.spend("a", 1, ALLOWANCE)).toBe(2_000);
  });

  it("spends nothing for whoever has to wait, and asks nobody for another's", () => {
    const { budget } = setUp();
    budget.spend("a", 2, ALLOWANCE);
    expect(budget.spend("a", 2, ALLOWANCE)).toBe(2_000);
    expect(budget.spend("a", 1, ALLOWANCE)).toBe(0);
    expect(budget.spend("b", 3, ALLOWANCE)).toBe(0);
  });

  it("takes what is left when somebody is charged for more", () => {
    const { budget } = setUp();
    budget.charge("a", 100, ALLOWANCE);
    expect(budget.waitMs("a", 1, ALLOWANCE)).toBe(2_000);
    expect(budget.waitMs("a", 3, ALLOWANCE)).toBe(6_000);
  });

  it("follows an allowance that changes", () => {
    const { budget } = setUp();
    budget.charge("a", 3, ALLOWANCE);
    expect(budget.waitMs("a", 1, { burst: 3, perSecond: 1 })).toBe(1_000);
    expect(budget.waitMs("a", 1, { burst: 4, perSecond: 1 })).toBe(0);
    expect(budget.waitMs("a", 1, { burst: 0, perSecond: 0 })).toBe(Number.POSITIVE_INFINITY);
  });

  it("forgets what was asked to be forgotten, and the key that spent longest ago", () => {
    const { clock, budget } = setUp(2);
    for (const key of ["a", "b", "a", "c"]) budget.spend(key, 1, ALLOWANCE);
    clock.advance(10);
    expect(["a", "b", "c"].map((key) => budget.idleMs(key))).toEqual([
      10,
      Number.POSITIVE_INFINITY,
      10,
    ]);
    budget.forget("a");
    expect(budget.idleMs("a")).toBe(Number.POSITIVE_INFINITY);
  });

  it("always has enough for whoever waited as long as it said", () => {
    const costs = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 20 });
    const rates = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(costs, rates, (spent, perMinute) => {
        const { clock, budget } = setUp();
        const allowance = { burst: 5, perSecond: perMinute / 60 };
        for (const cost of spent) {
          const waitMs = budget.spend("a", cost, allowance);
          if (waitMs === 0) continue;
          clock.advance(Math.ceil(waitMs));
          expect(budget.spend("a", cost, allowance)).toBe(0);
        }
      }),
    );
  });
});
