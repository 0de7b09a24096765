import { expect, it } from "vitest";
import { z } from "zod";
import { listOf, mapOf } from "../../../backend/protocol/src/asking/untilFault.ts";

const point = z.object({ x: z.number(), y: z.number().default(0) });

it("a list is what its items are", () => {
  expect(listOf(point).parse([{ x: 1 }, { x: 2, y: 3 }])).toEqual([
    { x: 1, y: 0 },
    { x: 2, y: 3 },
  ]);
  expect(listOf(point).default([]).parse(undefined)).toEqual([]);
  expect(listOf(point, { min: 1 }).safeParse([]).success).toBe(false);
  for (const wrong of [undefined, null, {}, "[]", 7]) {
    expect(listOf(point).safeParse(wrong).success).toBe(false);
  }
});

it("tells of the first wrong item alone, with its place, however many are wrong", () => {
  const points = z.object({ points: listOf(point) });
  const wrong = [{ x: 1 }, ...Array.from({ length: 1_000_000 }, () => ({}))];
  const { error } = points.safeParse({ points: wrong });
  expect(error?.issues.map(({ path }) => path)).toEqual([["points", 1, "x"]]);
});

it("a map is what its values are, and stops at the first wrong one, too", () => {
  const labels = mapOf(z.string().max(10));
  expect(labels.parse({ a: "b", __proto__: null })).toEqual({ a: "b" });
  const wrong = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, n]));
  expect(labels.safeParse(wrong).error?.issues.map(({ path }) => path)).toEqual([["k0"]]);
  expect(labels.safeParse({ "too long a key": "b" }).success).toBe(false);
  for (const other of [undefined, null, [], "{}", 7]) {
    expect(labels.safeParse(other).success).toBe(false);
  }
  expect(Object.hasOwn(labels.parse(JSON.parse('{"__proto__":"x"}')), "__proto__")).toBe(true);
});
