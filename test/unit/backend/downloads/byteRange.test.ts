import { describe, expect, it } from "vitest";
import { askedRange } from "../../../../backend/src/downloads/byteRange.ts";

const file = { size: 100, etag: '"abc"' };

describe("a part of a file", () => {
  it.each([
    ["bytes=0-9", { start: 0, end: 10 }],
    ["bytes=40-", { start: 40, end: 100 }],
    ["bytes=99-", { start: 99, end: 100 }],
    ["bytes=90-1000", { start: 90, end: 100 }],
    ["bytes=-5", { start: 95, end: 100 }],
    ["bytes=-1000", { start: 0, end: 100 }],
  ])("is what %s names", (range, expected) => {
    expect(askedRange({ range }, file)).toEqual(expected);
  });

  it.each(["bytes=100-", "bytes=500-600", "bytes=-0"])("is not there for %s", (range) => {
    expect(askedRange({ range }, file)).toBe("unsatisfiable");
  });

  it.each([
    "bytes=9-3",
    "bytes=-",
    "bytes=0-1,5-6",
    "bytes=a-b",
    "lines=1-2",
    `bytes=${"9".repeat(40)}-`,
    "",
  ])("is the whole file for %j", (range) => expect(askedRange({ range }, file)).toBe("all"));

  it("is the whole file without a word, and when the asker has begun with another file", () => {
    const range = "bytes=40-";
    expect(askedRange({}, file)).toBe("all");
    expect(askedRange({ range, "if-range": '"abc"' }, file)).toEqual({ start: 40, end: 100 });
    expect(askedRange({ range, "if-range": '"other"' }, file)).toBe("all");
    expect(askedRange({ range, "if-range": 'W/"abc"' }, file)).toBe("all");
  });
});
