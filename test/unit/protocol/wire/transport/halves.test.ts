import { Halves } from "@rport/protocol/wire/transport/halves";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../../support/clock.ts";

const HALF_MS = 1_000;

function watch() {
  const clock = new FakeClock();
  let overdue = 0;
  const owner = {
    isHalf: true,
    isHeldUp: false,
    completed: 0,
    begunBytes: 0,
    onOverdue: () => {
      overdue += 1;
    },
  };
  const halves = new Halves(clock, HALF_MS, owner);
  return { clock, owner, halves, overdue: () => overdue };
}

describe("the watch over what is not complete", () => {
  it("tells once of what stays so, after its time and not sooner", () => {
    const { clock, halves, overdue } = watch();
    halves.observe();
    clock.advance(HALF_MS - 1);
    halves.observe();
    expect(overdue()).toBe(0);
    clock.advance(1);
    expect(overdue()).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it("begins anew when something was completed, and tells within twice its time", () => {
    const { clock, owner, halves, overdue } = watch();
    halves.observe();
    owner.completed += 1;
    clock.advance(HALF_MS);
    expect(overdue()).toBe(0);
    clock.advance(HALF_MS);
    expect(overdue()).toBe(1);
  });

  it("does not hold a pause of ours against the peer, and goes on behind it", () => {
    const { clock, owner, halves, overdue } = watch();
    owner.isHeldUp = true;
    halves.observe();
    clock.advance(10 * HALF_MS);
    expect(overdue()).toBe(0);
    owner.isHeldUp = false;
    clock.advance(HALF_MS);
    expect(overdue()).toBe(1);
  });

  it("lets a slow peer take its time while enough comes, and not one that sends byte by byte", () => {
    const { clock, owner, halves, overdue } = watch();
    halves.observe();
    for (let n = 0; n < 20; n += 1) {
      owner.begunBytes += 64 << 10;
      clock.advance(HALF_MS);
    }
    expect(overdue()).toBe(0);
    owner.begunBytes += (64 << 10) - 1;
    clock.advance(HALF_MS);
    expect(overdue()).toBe(1);
  });

  it("gives the whole time again when it is begun anew, and then only when something is half", () => {
    const { clock, owner, halves, overdue } = watch();
    halves.observe();
    clock.advance(HALF_MS - 1);
    halves.restart();
    clock.advance(HALF_MS - 1);
    expect(overdue()).toBe(0);
    clock.advance(1);
    expect(overdue()).toBe(1);
    owner.isHalf = false;
    halves.restart();
    expect(clock.timers).toBe(0);
  });

  it("keeps no timer for nothing, nor when it was stopped", () => {
    const { clock, owner, halves, overdue } = watch();
    owner.isHalf = false;
    halves.observe();
    expect(clock.timers).toBe(0);
    owner.isHalf = true;
    halves.observe();
    owner.isHalf = false;
    clock.advance(HALF_MS);
    expect(clock.timers).toBe(0);
    owner.isHalf = true;
    halves.observe();
    halves.stop();
    clock.advance(HALF_MS);
    expect(overdue()).toBe(0);
  });
});
