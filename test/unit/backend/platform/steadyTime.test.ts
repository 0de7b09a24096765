import { describe, expect, it } from "vitest";
import { shownTimes, steadyTime } from "../../../../backend/src/platform/steadyTime.ts";
import { FakeClock } from "../../../support/clock.ts";

const HOUR_MS = 3_600_000;

/** A clock, and the times that it shows. */
function watch() {
  const clock = new FakeClock();
  const steady = steadyTime(clock);
  return { clock, steady, times: shownTimes(clock, steady) };
}

describe("times as they are shown", () => {
  it.each([0, 36 * HOUR_MS, -36 * HOUR_MS])(
    "tell an end that is an hour away as that, after the clock was set by %d ms",
    (jumpMs) => {
      const { clock, steady, times } = watch();
      const endsAt = steady() + HOUR_MS;
      clock.jump(jumpMs);
      expect(times.steady(endsAt)).toBe(clock.now() + HOUR_MS);
      clock.advance(HOUR_MS);
      expect(times.steady(endsAt)).toBe(clock.now());
    },
  );

  it("do not tremble with what rounding leaves between the two clocks", () => {
    const { clock, steady, times } = watch();
    const endsAt = steady() + HOUR_MS;
    clock.jump(1);
    expect(times.steady(endsAt)).toBe(endsAt);
  });

  it("put nothing that has happened into the future", () => {
    const { clock, times } = watch();
    const happenedAt = clock.now();
    clock.jump(-HOUR_MS);
    expect(times.past(happenedAt)).toBe(clock.now());
    clock.jump(2 * HOUR_MS);
    expect(times.past(happenedAt)).toBe(happenedAt);
  });
});
