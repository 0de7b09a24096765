import { describe, expect, it } from "vitest";
import { Patience } from "../../../../agent/src/connection/patience.ts";
import { FakeClock } from "../../../support/clock.ts";

function patience() {
  const clock = new FakeClock();
  let overs = 0;
  const one = new Patience(clock, 60_000, () => {
    overs += 1;
  });
  return { clock, one, overs: () => overs };
}

describe("the patience of an agent that registers", () => {
  it("ends a minute after the beginning, or after the last word", () => {
    const { clock, one, overs } = patience();
    one.begin();
    for (let n = 0; n < 30; n += 1) {
      clock.advance(59_999);
      one.extend();
    }
    clock.advance(59_999);
    expect(overs()).toBe(0);
    clock.advance(1);
    expect(overs()).toBe(1);
  });

  it("has no end before it begins and none after the answer", () => {
    const { clock, one, overs } = patience();
    one.extend();
    clock.advance(3_600_000);
    one.begin();
    one.end();
    one.extend();
    clock.advance(3_600_000);
    expect(overs()).toBe(0);
    expect(clock.timers).toBe(0);
  });
});
