import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, ROOT, textOf } from "../support/repository.ts";
import { shapeOf } from "../support/sourceShape.ts";

const PACKAGES = ["backend/protocol", "backend", "agent", "extension", "webview-ui"];

const sources = PACKAGES.flatMap((name) => filesBelow(`${name}/src`, ".ts")).map((path) => {
  const text = textOf(path);
  return { path, lines: text.split("\n").length - 1, shape: shapeOf(text) };
});

/** Sources of more lines than that, the longest first. */
const longerThan = (lines: number) =>
  sources
    .filter((source) => source.lines > lines)
    .sort((one, other) => other.lines - one.lines)
    .map((source) => `${source.path}: ${source.lines}`);

/** The value that this share of all values does not exceed. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

describe("a source file", () => {
  it("has 300 lines at the most", () => {
    expect(sources.length).toBeGreaterThan(300);
    expect(longerThan(300)).toEqual([]);
  });
});

describe("a folder of sources", () => {
  it("holds 24 files at the most", () => {
    const counts = Map.groupBy(sources, ({ path }) => dirname(path));
    const crowded = [...counts].filter(([, files]) => files.length > 24);
    expect(crowded.map(([folder, files]) => `${folder}: ${files.length}`)).toEqual([]);
  });

  it.each(["credentials", "clients", "http"])(
    "shows 16 entries at the most where most is changed: backend/src/%s",
    (name) => {
      const entries = readdirSync(join(ROOT, "backend/src", name));
      expect(entries.length).toBeLessThanOrEqual(16);
    },
  );
});

describe("a class", () => {
  it("has 300 lines at the most", () => {
    const long = sources.flatMap(({ path, shape }) =>
      shape.classes
        .filter(({ lines }) => lines > 300)
        .map(({ name, lines }) => `${name} in ${path}: ${lines}`),
    );
    expect(long).toEqual([]);
  });
});

describe("a function", () => {
  const lengths = sources.flatMap(({ shape }) => shape.functions);

  it("is short: half of them have six lines at the most, and 95 of 100 have twenty", () => {
    expect(lengths.length).toBeGreaterThan(2_000);
    expect(percentile(lengths, 0.5)).toBeLessThanOrEqual(6);
    expect(percentile(lengths, 0.95)).toBeLessThanOrEqual(20);
  });
});
