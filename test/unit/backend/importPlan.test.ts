import { describe, expect, it } from "vitest";
import { planImport } from "../../../backend/src/cli/importPlan.ts";

const facts = { existing: new Set(["here"]), minLength: 6 };

describe("the plan of an import", () => {
  it("makes what can be made, in the file's order, and names the rest", () => {
    const entries = [
      { id: "zeta", password: "long-enough" },
      { id: "here", password: "x" },
      { id: "alpha", password: "sixsix" },
      { id: "short", password: "four" },
    ];
    expect(planImport(entries, facts)).toEqual({
      made: [entries[0], entries[2]],
      existing: ["here"],
      unusable: [
        { id: '"short"', reason: "A password has at least 6 characters; this one has 4." },
      ],
      shortest: 4,
    });
  });

  it("has nothing of a foreign id that a terminal would act on, and no end of it", () => {
    const id = `\u001b[2J\u202e\u0085${"x".repeat(500)}`;
    const { unusable } = planImport([{ id, password: "long-enough" }], facts);
    expect(unusable[0]?.id).toMatch(/^"\?\[2J\?\?x{70,80}"$/);
  });

  it("of an empty file is empty", () => {
    const nothing = { made: [], existing: [], unusable: [], shortest: undefined };
    expect(planImport([], facts)).toEqual(nothing);
  });
});
