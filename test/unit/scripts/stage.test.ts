import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

/** Scripts have no types: they run before anything is installed. */
const script = (name: string) =>
  import(new URL(`../../../scripts/lib/${name}`, import.meta.url).href);

const { StageRun, single, skipped } = await script("stage.mjs");
const { countsOf } = await script("tools.mjs");

describe("a run of stages", () => {
  const lines: string[] = [];

  beforeEach(() => {
    lines.length = 0;
    vi.spyOn(console, "log").mockImplementation((line) => lines.push(String(line)));
  });

  afterEach(() => vi.restoreAllMocks());

  test("sums its counts in the last line", async () => {
    const run = new StageRun({ isStrict: false });
    await run.stage("one", () => single(true));
    await run.stage("two", () => ({ passed: 40, failed: 0, skipped: 0, notes: [] }));
    expect(run.finish()).toBe(true);
    expect(lines.at(-1)).toBe("41 passed, 0 failed");
  });

  test("goes on after a stage that failed or threw, and fails", async () => {
    const run = new StageRun({ isStrict: false });
    await run.stage("fails", () => single(false));
    await run.stage("throws", () => Promise.reject(new Error("out of paper")));
    await run.stage("passes", () => single(true));
    expect(run.finish()).toBe(false);
    expect(lines).toContain("out of paper");
    expect(lines.at(-1)).toBe("1 passed, 2 failed");
  });

  test("tells what was skipped and why", async () => {
    const run = new StageRun({ isStrict: false });
    await run.stage("e2e", () => skipped("no chromium"));
    expect(run.finish()).toBe(true);
    expect(lines).toContain("e2e: no chromium");
    expect(lines.slice(-2)).toEqual(["1 skipped", "0 passed, 0 failed"]);
  });

  test("counts what was skipped as failed where nothing may be skipped", async () => {
    const run = new StageRun({ isStrict: true });
    await run.stage("e2e", () => skipped("no chromium"));
    expect(run.finish()).toBe(false);
    expect(lines).toContain("e2e: no chromium");
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
  });

  test("fails nowhere for what not every machine has", async () => {
    const run = new StageRun({ isStrict: true });
    await run.stage("chaos", () => ({ ...skipped("no loop devices"), dependsOnMachine: true }));
    expect(run.finish()).toBe(true);
    expect(lines.slice(-2)).toEqual(["1 skipped", "0 passed, 0 failed"]);
    expect(lines.join("\n")).not.toContain("counts as failed");
  });
});

describe("the counts of a vitest report", () => {
  const file = (status: string, ...tests: string[]) => ({
    name: "/x/a.test.ts",
    status,
    assertionResults: tests.map((each) => ({ status: each, fullName: `a test that ${each}` })),
  });
  const report = (...files: ReturnType<typeof file>[]) => {
    const tests = files.flatMap((each) => each.assertionResults);
    const count = (status: string) => tests.filter((each) => each.status === status).length;
    return {
      numPassedTests: count("passed"),
      numFailedTests: count("failed"),
      testResults: files,
    };
  };

  test.each([
    {
      of: "tests that passed",
      files: [file("passed", "passed", "passed")],
      exitCode: 0,
      is: [2, 0],
    },
    {
      of: "tests that failed",
      files: [file("failed", "passed", "failed")],
      exitCode: 1,
      is: [1, 1],
    },
    { of: "a file that does not load", files: [file("failed")], exitCode: 1, is: [0, 1] },
    { of: "a hook that failed", files: [file("failed", "passed")], exitCode: 1, is: [1, 1] },
    { of: "an error outside of tests", files: [file("passed", "passed")], exitCode: 1, is: [1, 1] },
    { of: "no tests at all", files: [], exitCode: 0, is: [0, 0] },
  ])("are right for $of", ({ files, exitCode, is }) => {
    const { passed, failed, skipped: skips } = countsOf(report(...files), exitCode);
    expect([passed, failed, skips]).toEqual([...is, 0]);
  });

  test.each(["skipped", "pending", "todo"])("name tests that are %s", (status) => {
    const { skipped: skips, notes } = countsOf(report(file("passed", "passed", status)), 0);
    expect(skips).toBe(1);
    expect(notes).toEqual([expect.stringContaining(`a test that ${status}`)]);
  });
});
