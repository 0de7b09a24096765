import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { HandshakePace } from "../../../../backend/src/clients/handshakePace.ts";

/** Work of `costMs` each, on a clock that only work moves. */
function setUp(costMs: number) {
  let nowMs = 0;
  const pace = new HandshakePace(() => nowMs);
  const done: string[] = [];
  const add = (network: string, name: string): void =>
    pace.run(network, () => {
      nowMs += costMs;
      done.push(name);
    });
  return { add, done, pace };
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
