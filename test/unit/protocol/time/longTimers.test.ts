import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { systemClock as backendClock } from "../../../../backend/src/platform/clock.ts";
import { systemClock as extensionClock } from "../../../../extension/src/support/clock.ts";

/** Of more than so many milliseconds, timers of the system make one that fires at once. */
const LONGEST_MS = 2 ** 31 - 1;
const YEAR_MS = 365 * 86_400_000;

describe.each([
  ["the agent", SYSTEM_CLOCK],
  ["the backend", backendClock],
  ["the extension", extensionClock],
])("a timer of %s", (_package, clock) => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("waits a year where it is told to, and fires once", () => {
    let fired = 0;
    clock.after(YEAR_MS, () => {
      fired += 1;
    });
    vi.advanceTimersByTime(YEAR_MS - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("can be cancelled in each of its steps", () => {
    let fired = 0;
    const timer = clock.after(YEAR_MS, () => {
      fired += 1;
    });
    vi.advanceTimersByTime(2 * LONGEST_MS);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(YEAR_MS);
    expect(fired).toBe(0);
  });

  it("fires at once where its time is over", () => {
    let fired = 0;
    clock.after(-YEAR_MS, () => {
      fired += 1;
    });
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
  });
});
