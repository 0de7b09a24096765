import { describe, expect, it } from "vitest";
import { RequestTurns } from "../../../../backend/src/http/requestTurns.ts";
import { FakeClock } from "../../../support/clock.ts";

/** Requests that each are so much work, and whose were worked on, in order. */
function setUp(workMs: number) {
  const clock = new FakeClock();
  const served: string[] = [];
  const onFault = (error: unknown) => {
    throw error;
  };
  const turns = new RequestTurns({ clock, onFault });
  const ask = async (caller: string): Promise<void> => {
    await turns.take(caller);
    served.push(caller);
    clock.advance(workMs);
  };
  return { served, ask };
}

const turn = () => new Promise(setImmediate);

describe("what requests bring about", () => {
  it("is done at once where little was done in this turn of the event loop", async () => {
    const { served, ask } = setUp(1);
    for (const caller of ["a", "a", "b"]) void ask(caller);
    await Promise.resolve();
    await Promise.resolve();
    expect(served).toEqual(["a", "a", "b"]);
  });

  it("is one request's in a turn where each is much work, and one caller's after the other", async () => {
    const { served, ask } = setUp(20);
    const all = [ask("crowd")];
    await Promise.resolve();
    await Promise.resolve();
    for (let n = 0; n < 40; n += 1) all.push(ask("crowd"));
    all.push(ask("alone"));
    expect(served).toEqual(["crowd"]);
    await turn();
    await turn();
    expect(served.slice(0, 3)).toEqual(["crowd", "crowd", "alone"]);
    await Promise.all(all);
    expect(served).toHaveLength(42);
  });
});
