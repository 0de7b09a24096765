import { describe, expect, it } from "vitest";
import { countsOf, type Finding, textOf, type Verdict } from "../../chaos/verdict.ts";

const GOOD: Finding = { what: "nobody is lost", isGood: true, seen: "5 of 5 in" };
const BAD: Finding = { what: "nobody is cut", isGood: false, seen: "2 cut" };

function verdict(name: string, given: Partial<Verdict> = {}): Verdict {
  return Object.assign({ name, title: `what ${name} is`, seconds: 3, findings: [GOOD] }, given);
}

describe("the verdicts of a run of faults", () => {
  it("count a fault as failed when one thing did not hold, or it came to no end", () => {
    const verdicts = [
      verdict("kill"),
      verdict("slow", { findings: [GOOD, BAD] }),
      verdict("full", { failure: "no answer" }),
      verdict("line", { lack: "no root" }),
    ];
    expect(countsOf(verdicts, "npm run chaos -- --seed 7")).toEqual({
      passed: 1,
      failed: 2,
      skipped: 1,
      notes: [
        "line was skipped: no root",
        "slow failed; again: npm run chaos -- --seed 7 slow",
        "full failed; again: npm run chaos -- --seed 7 full",
      ],
    });
  });

  it("say what was seen, and what failed", () => {
    const text = textOf(verdict("slow", { findings: [GOOD, BAD], failure: "it hung" }));
    expect(text.split("\n")).toEqual([
      "FAILED   slow: what slow is (3 s)",
      "  ok     nobody is lost: 5 of 5 in",
      "  FAILED nobody is cut: 2 cut",
      "  FAILED it did not come to its end: it hung",
    ]);
  });
});
