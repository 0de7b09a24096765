import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Floods } from "../../../../agent/src/terminal/floods.ts";
import { FloodTurn } from "../../../../agent/src/terminal/floodTurn.ts";
import { Traffic } from "../../../../agent/src/terminal/traffic.ts";
import { FakeClock } from "../../../support/clock.ts";

/** Terminals, by a letter each, beside tunnels that have moved so many bytes. */
function scene() {
  const clock = new FakeClock();
  const tunnels = { bytes: 0 };
  const floods = new Floods({ clock, traffic: new Traffic(clock, () => tunnels.bytes) });
  const begun: string[] = [];
  const turnOf = (terminal: string) =>
    new FloodTurn(floods, () => begun.push(`${terminal} ${clock.monotonic()}`));
  return { clock, tunnels, begun, turnOf, turn: turnOf("a") };
}

describe("the turns of a terminal whose program does not stop", () => {
  it("are two packets in each of the event loop while nothing else goes through the agent", async () => {
    const { turn, begun } = scene();
    turn.count();
    expect(turn.isOver).toBe(false);
    turn.count();
    expect(turn.isOver).toBe(true);
    await nextTurn();
    expect(begun).toEqual(["a 0"]);
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
    expect(begun).toEqual(["a 4"]);
    turn.count();
    expect(turn.isOver).toBe(true);
  });

  it("give way as much when there are more of them: one after the other", () => {
    const { turn, turnOf, begun, clock, tunnels } = scene();
    const others = ["b", "c"].map(turnOf);
    tunnels.bytes = 1;
    for (const each of [turn, ...others]) each.count();
    for (let ms = 1; ms <= 12; ms++) {
      clock.advance(1);
      if (ms === 4) turn.count();
    }
    expect(begun).toEqual(["a 4", "b 8", "c 12"]);
    clock.advance(4);
    expect(begun.at(-1)).toBe("a 16");
  });

  it("keep nobody waiting once their terminal is looked at no more", () => {
    const { turn, turnOf, begun, clock, tunnels } = scene();
    const [left, other] = [turnOf("b"), turnOf("c")];
    tunnels.bytes = 1;
    for (const each of [turn, left, other]) each.count();
    turn.end();
    left.end();
    for (let ms = 0; ms < 20; ms++) clock.advance(1);
    expect(begun).toEqual(["c 4"]);
    expect(clock.timers).toBe(0);
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
