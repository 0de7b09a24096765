import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { FloodTurn } from "../../../../agent/src/terminal/floodTurn.ts";
import { Traffic } from "../../../../agent/src/terminal/traffic.ts";
import { FakeClock } from "../../../support/clock.ts";

/** A flood beside tunnels that have moved so many bytes. */
function scene() {
  const clock = new FakeClock();
  const tunnels = { bytes: 0 };
  const begun: number[] = [];
  const turn = new FloodTurn({
    clock,
    traffic: new Traffic(clock, () => tunnels.bytes),
    onBegin: () => begun.push(clock.monotonic()),
  });
  return { clock, tunnels, begun, turn };
}

describe("the turns of a terminal whose program does not stop", () => {
  it("are two packets in each of the event loop while nothing else goes through the agent", async () => {
    const { turn, begun } = scene();
    turn.count();
    expect(turn.isOver).toBe(false);
    turn.count();
    expect(turn.isOver).toBe(true);
    await nextTurn();
    expect(begun).toHaveLength(1);
    expect(turn.isOver).toBe(false);
  });

  it("give way to tunnels that carry something: a packet in four milliseconds", async () => {
    const { turn, begun, clock, tunnels } = scene();
    tunnels.bytes = 1;
    turn.count();
    expect(turn.isOver).toBe(true);
    await nextTurn();
    clock.advance(3);
    expect(begun).toEqual([]);
    clock.advance(1);
    expect(begun).toEqual([4]);
    turn.count();
    expect(turn.isOver).toBe(true);
  });

  it("are whole again when tunnels have carried nothing for a moment", () => {
    const { turn, clock, tunnels } = scene();
    tunnels.bytes = 1;
    turn.count();
    clock.advance(50);
    turn.count();
    expect(turn.isOver).toBe(false);
  });
});
