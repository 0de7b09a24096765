import { type OwnTurns, Turns } from "@rport/protocol/wire/turns";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../support/clock.ts";

const turn = () => new Promise(setImmediate);

function setUp() {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const turns = new Turns({ clock, onFault: (error) => void faults.push(error) });
  const own = (line: string): OwnTurns =>
    turns.own(
      () => line,
      (work) => work(),
    );
  return { clock, faults, own };
}

describe("the time for what peers bring about", () => {
  it("is a millisecond for each, and four in a turn of the event loop for all", async () => {
    const { clock, own } = setUp();
    const [one, other] = [own("a"), own("b")];
    const startMs = one.nowMs();
    expect(one.isOver(startMs)).toBe(false);
    clock.advance(1);
    expect([one.isOver(startMs), other.isOver(other.nowMs())]).toEqual([true, false]);
    clock.advance(3);
    expect(other.isOver(other.nowMs())).toBe(true);
    await turn();
    expect(other.isOver(other.nowMs())).toBe(false);
  });

  it("goes to one line after the other, however many wait in one of them", async () => {
    const { clock, own } = setUp();
    const served: string[] = [];
    const wait = (line: string) =>
      own(line).later(() => {
        served.push(line);
        clock.advance(1);
      });
    for (let n = 0; n < 10; n += 1) wait("crowd");
    wait("alone");
    await turn();
    expect(served).toEqual(["crowd", "alone", "crowd", "crowd"]);
    await turn();
    expect(served.length).toBe(8);
    await turn();
    expect(served.length).toBe(11);
  });

  it("is one turn's where somebody has more to do: the next one is another's", async () => {
    const { own } = setUp();
    let served = 0;
    const again = () => {
      served += 1;
      own("a").later(again);
    };
    own("a").later(again);
    await turn();
    expect(served).toBe(1);
    await turn();
    expect(served).toBe(2);
  });

  it("goes on after work that threw", async () => {
    const { faults, own } = setUp();
    let isServed = false;
    own("a").later(() => {
      throw new Error("broken");
    });
    own("a").later(() => {
      isServed = true;
    });
    await turn();
    expect([faults.length, isServed]).toEqual([1, true]);
  });
});
