import { describe, expect, it } from "vitest";
import { median, quantile } from "../../bench/harness.ts";
import {
  atLeast,
  atMost,
  number,
  resultOf,
  type Section,
  sectionMarkdown,
  summaryOf,
} from "../../bench/report.ts";
import { resultsText } from "../../bench/results.ts";

const circumstances = {
  date: "2030-01-01 00:00 UTC",
  processor: "A processor",
  cores: 2,
  memoryGb: 8,
  system: "Linux 6.1 x64",
  node: "24.0.0",
  load: 0.1,
};

const section: Section = {
  title: "Tunnels",
  rows: [
    { what: "down", figure: "50 MB/s", against: "0.5 x", checks: [atLeast(0.5, 0.55, "x")] },
    { what: "busy", figure: "1 ms", against: "", checks: [atMost(1, 1, "ms")] },
    { what: "small", figure: "7", against: "", checks: [] },
  ],
  notes: ["A note."],
  seconds: 3,
};

describe("the report of the benches", () => {
  it.each([
    { checks: [atLeast(0.55, 0.55, "x")], result: "met" },
    { checks: [atMost(1, 1, "ms"), atMost(5, 5, "x idle")], result: "met" },
    { checks: [], result: "" },
    { checks: [atLeast(0.44, 0.55, "x")], result: "**missed** by 20 %: 0.44 x" },
    { checks: [atMost(1.5, 1, "ms")], result: "**missed** by 50 %: 1.5 ms" },
    { checks: [atMost(8, 1, "ms")], result: "**missed** 8 times: 8 ms" },
    { checks: [atMost(3, 0, "disconnects")], result: "**missed**: 3 disconnects" },
    { checks: [atMost(Number.POSITIVE_INFINITY, 5, "s")], result: "**missed**: never reached" },
    { checks: [atMost(Number.NaN, 5, "s")], result: "**missed**: never reached" },
    {
      checks: [atMost(2, 1, "ms"), atMost(2, 5, "x idle")],
      result: "**missed** 2 times: 2 ms",
    },
  ])("says $result", ({ checks, result }) => {
    expect(resultOf(checks)).toBe(result);
  });

  it("counts as met only rows whose checks all hold, and leaves out rows without a target", () => {
    expect(summaryOf([section])).toBe("Targets met: 1 of 2");
    const failed = { ...section, rows: [], failure: "it broke" };
    expect(summaryOf([section, failed])).toBe("Targets met: 1 of 2; 1 bench failed");
  });

  it("shows target and result of each row, notes, what failed, and when it was measured", () => {
    const text = sectionMarkdown({ ...section, failure: "it broke" }, circumstances);
    expect(text).toContain("| down | 50 MB/s | 0.5 x | >= 0.55 x | **missed** by 9 %: 0.5 x |");
    expect(text).toContain("| busy | 1 ms |  | <= 1 ms | met |");
    expect(text).toContain("A note.");
    expect(text).toContain("**Failed**: it broke");
    expect(text).toContain("2030-01-01 00:00 UTC; A processor, 2 cores, 8 GB, Linux 6.1 x64;");
  });

  it("puts what was measured now in the place of what was, and leaves the rest as it was", () => {
    const titles = ["Tunnels", "Memory", "Logins"];
    const of = (title: string, note: string) => ({
      section: { ...section, title, notes: [note] },
      at: circumstances,
    });
    const before = resultsText(
      "",
      [of("Logins", "old logins"), of("Tunnels", "old tunnels")],
      titles,
    );
    const after = resultsText(
      before,
      [of("Memory", "new memory"), of("Tunnels", "new tunnels")],
      titles,
    );
    expect([...after.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(titles);
    expect(after).not.toContain("old tunnels");
    expect([...after.matchAll(/^(new|old) .*$/gm)].map(([line]) => line)).toEqual([
      "new tunnels",
      "new memory",
      "old logins",
    ]);
    expect(resultsText(after, [], titles)).toBe(after);
  });

  it.each([
    [0.001234, "0.0012"],
    [0.5, "0.5"],
    [12.345, "12.3"],
    [99.99, "100"],
    [1234.5, "1,235"],
    [0, "0"],
  ])("writes %d as %s", (value, text) => {
    expect(number(value)).toBe(text);
  });

  it("takes middle values and shares of any number of values", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.99)).toBeCloseTo(4.96);
  });
});
