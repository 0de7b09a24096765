import { expect, it } from "vitest";
import { Pace } from "../../../../agent/src/platform/pace.ts";
import { FakeClock } from "../../../support/clock.ts";

it("S-48: a pace lets some happen at once, then one in its time, and counts the others", () => {
  const clock = new FakeClock();
  const pace = new Pace({ atOnce: 3, everyMs: 1_000 }, () => clock.monotonic());
  const many = () => Array.from({ length: 5 }, () => pace.take()).filter((taken) => taken).length;
  expect([many(), pace.refused]).toEqual([3, 2]);
  clock.advance(999);
  expect(many()).toBe(0);
  clock.advance(1);
  expect(many()).toBe(1);
  clock.advance(2_000);
  expect(many()).toBe(2);
  clock.advance(3_600_000);
  expect([many(), pace.refused]).toEqual([3, 16]);
});
