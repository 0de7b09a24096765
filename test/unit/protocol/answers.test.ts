import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { ENDPOINTS } from "../../../backend/protocol/src/http.ts";

/** More faults than any right-minded schema has members to describe. */
const FAULTS_MAX = 100;
const MANY = 20_000;
const LIST = Array.from({ length: MANY }, () => []);
const MAP = Object.fromEntries(LIST.map((item, n) => [`key-${n}`, item]));

/** A schema and all that it is made of, each with where it stands. */
function* partsOf(schema: z.core.$ZodType, place: string): Generator<[string, z.core.$ZodType]> {
  yield [place, schema];
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "object") {
    for (const [key, part] of Object.entries(def.shape)) yield* partsOf(part, `${place}.${key}`);
  }
  if ("innerType" in def) yield* partsOf(def.innerType, place);
  if (def.type === "array") yield* partsOf(def.element, `${place}[]`);
  if (def.type === "union") for (const part of def.options) yield* partsOf(part, place);
}

/** What a server answers is read by an editor, which a wrong one is not to keep busy. */
describe("answers", () => {
  const all = Object.entries(ENDPOINTS).flatMap(([name, { output }]) =>
    output === undefined ? [] : [...partsOf(output, name)],
  );

  it("are told of by few faults, however many there are", () => {
    const faultsOf = (schema: z.core.$ZodType) =>
      [LIST, MAP].map((wrong) => (schema as z.ZodType).safeParse(wrong).error?.issues.length ?? 0);
    const chatty = all.filter(([, schema]) => Math.max(...faultsOf(schema)) > FAULTS_MAX);
    expect(chatty.map(([place]) => place)).toEqual([]);
    expect(all.length).toBeGreaterThan(500);
  });
});
