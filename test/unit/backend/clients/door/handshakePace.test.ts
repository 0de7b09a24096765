import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { HandshakePace } from "../../../../../backend/src/clients/door/handshakePace.ts";
import { FakeClock } from "../../../../support/clock.ts";

/** Work of `costMs` each, on a clock that only work moves. */
function setUp(costMs: number) {
  let nowMs = 0;
  const timers = new FakeClock();
  const pace = new HandshakePace({
    monotonic: () => nowMs,
    after: (ms, run) => timers.after(ms, run),
  });
  const done: string[] = [];
  const add = (network: string, name: string): void =>
    pace.run(network, () => {
      nowMs += costMs;
      done.push(name);
    });
  return { add, done, pace, timers };
}

it("does what there is time for at once, and the rest in later turns, 4 ms each", async () => {
  const { add, done } = setUp(1);
  for (let n = 1; n <= 12; n += 1) add("a", `a${n}`);
  expect(done).toHaveLength(4);
  await nextTurn();
  expect(done).toHaveLength(8);
  await nextTurn();
  expect(done).toHaveLength(12);
  await nextTurn();
  add("a", "later");
  expect(done.at(-1)).toBe("later");
});

it("keeps the order of each network, and lets one work item of each follow the other", async () => {
  const { add, done } = setUp(2);
  for (let n = 1; n <= 6; n += 1) add("crowd", `c${n}`);
  add("single", "s1");
  add("single", "s2");
  expect(done).toEqual(["c1", "c2"]);
  await nextTurn();
  expect(done).toEqual(["c1", "c2", "c3", "s1"]);
  await nextTurn();
  expect(done).toEqual(["c1", "c2", "c3", "s1", "c4", "s2"]);
  await nextTurn();
  expect(done.slice(6)).toEqual(["c5", "c6"]);
});

it("goes on behind work that fails", async () => {
  const { add, done, pace } = setUp(1);
  const fail = (): void => {
    throw new Error("work failed");
  };
  expect(() => pace.run("a", fail)).toThrow("work failed");
  add("a", "next");
  expect(done).toEqual(["next"]);
});

it("rests between two turns while others are sent away, and no longer", async () => {
  const { add, done, pace, timers } = setUp(1);
  pace.strain();
  for (let n = 1; n <= 12; n += 1) add("a", `a${n}`);
  expect(done).toHaveLength(4);
  await nextTurn();
  expect(done).toHaveLength(4);
  timers.advance(40);
  expect(done).toHaveLength(8);
  add("b", "b1");
  expect(done).toHaveLength(8);
  timers.advance(40);
  expect(done.slice(8)).toEqual(["a9", "b1", "a10", "a11"]);
  timers.advance(40);
  expect(done.at(-1)).toBe("a12");
});
