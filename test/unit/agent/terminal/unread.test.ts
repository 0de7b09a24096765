import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { throwAwayUnread } from "../../../../agent/src/terminal/unread.ts";

it("nobody else waits while more is thrown away than a terminal can hold", async () => {
  let turns = 0;
  let isOver = false;
  const emptied = throwAwayUnread("/dev/zero").finally(() => {
    isOver = true;
  });
  for (; !isOver; turns += 1) await setImmediate();
  expect(await emptied).toBe(false);
  expect(turns).toBeGreaterThan(100);
});

it("a device that brings nothing, and does not say that it is empty, is given up at once", async () => {
  let isOver = false;
  void throwAwayUnread("/dev/null").finally(() => {
    isOver = true;
  });
  await setImmediate();
  expect(isOver).toBe(true);
});

it("a device that cannot be opened is not emptied", async () => {
  expect(await throwAwayUnread("/dev/not-there")).toBe(false);
});
