import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { Chores } from "../../../../backend/src/platform/chores.ts";
import { FakeClock } from "../../../support/clock.ts";

const CHORES = 500;
/** What one chore takes; four milliseconds are one turn's share. */
const CHORE_MS = 0.5;
const PER_TURN = 8;

function setUp() {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const chores = new Chores({ clock, onFault: (error) => faults.push(error) });
  const done: number[] = [];
  const chore = (n: number) => () => {
    clock.advance(CHORE_MS);
    done.push(n);
  };
  return { clock, chores, faults, done, chore };
}

it("F-21: one chore is done at once; thousands are done in order, a few per turn, and all of them", async () => {
  const { chores, done, chore } = setUp();
  chores.run(chore(0));
  expect(done).toEqual([0]);
  for (let n = 1; n < CHORES; n += 1) chores.run(chore(n));
  expect(done).toHaveLength(PER_TURN);
  let before = done.length;
  while (done.length < CHORES) {
    await nextTurn();
    expect(done.length - before).toBeLessThanOrEqual(PER_TURN);
    before = done.length;
  }
  expect(done).toEqual(Array.from({ length: CHORES }, (_, n) => n));
});

it("F-21: chores wait while more of them come, but not for ever", async () => {
  const { clock, chores, done, chore } = setUp();
  const crowd = () => {
    for (let n = 0; n < PER_TURN * 2; n += 1) chores.run(chore(n));
  };
  crowd();
  for (let turn = 0; turn < 20; turn += 1) {
    await nextTurn();
    crowd();
    expect(done).toHaveLength(PER_TURN);
  }
  clock.advance(1_000);
  await nextTurn();
  crowd();
  await nextTurn();
  expect(done.length).toBeGreaterThan(PER_TURN);
  await chores.done();
  expect(done).toHaveLength(22 * 2 * PER_TURN);
});

it("is done when everything is that was there, and not before", async () => {
  const { chores, done, chore } = setUp();
  await chores.done();
  for (let n = 0; n < CHORES; n += 1) chores.run(chore(n));
  const all = chores.done();
  for (let n = 0; n < CHORES; n += 1) chores.run(chore(CHORES + n));
  await all;
  // Whoever waits for that goes on when the turn ends in which it came about.
  expect(done.length).toBeGreaterThanOrEqual(CHORES);
  expect(done.length).toBeLessThan(CHORES + PER_TURN);
});

it("F-25: a chore that throws keeps none of the others", async () => {
  const { chores, faults, done, chore } = setUp();
  const broken = (text: string) => () => {
    throw new Error(text);
  };
  chores.run(broken("at once"));
  for (let n = 0; n < PER_TURN; n += 1) chores.run(chore(n));
  chores.run(broken("in its turn"));
  chores.run(chore(PER_TURN));
  await chores.done();
  expect(faults.map(String)).toEqual(["Error: at once", "Error: in its turn"]);
  expect(done).toHaveLength(PER_TURN + 1);
});
