import { describe, expect, it } from "vitest";
import { fairly } from "../../../extension/src/support/fairly.ts";

const items = (count: number) => Array.from({ length: count }, (_, index) => index);
const counts = (wanted: readonly number[], room: number) =>
  fairly(wanted.map(items), room, () => 1).map(({ length }) => length);

describe("a room that groups share", () => {
  it("gives all of them all where there is room", () => {
    expect(counts([3, 2, 0], 5)).toEqual([3, 2, 0]);
    expect(counts([], 5)).toEqual([]);
  });

  it("gives those all that want less than their share, and the others as much as is left", () => {
    expect(counts([100, 1, 100, 2], 13)).toEqual([5, 1, 5, 2]);
    expect(counts([100], 13)).toEqual([13]);
  });

  it("gives first items, as many as fit by their size", () => {
    expect(fairly([[3, 4, 5], [2]], 9, (size) => size)).toEqual([[3, 4], [2]]);
  });
});
