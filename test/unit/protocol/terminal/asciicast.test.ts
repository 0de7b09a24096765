import { castEvent, castHeader, castSize, readCastLine } from "@rport/protocol/terminal/asciicast";
import { describe, expect, it } from "vitest";

const HEADER = {
  size: { cols: 80, rows: 24 },
  startedAtMs: 1_900_000_000_999,
  title: "root@web-01 (anna)",
  term: "xterm-256color",
};

describe("S-63 a line of asciicast v2", () => {
  it("is a header with version, size, time, title and the kind of terminal", () => {
    expect(JSON.parse(castHeader(HEADER))).toEqual({
      version: 2,
      width: 80,
      height: 24,
      timestamp: 1_900_000_000,
      title: "root@web-01 (anna)",
      env: { TERM: "xterm-256color" },
    });
    expect(readCastLine(castHeader(HEADER))).toEqual({ kind: "header", size: HEADER.size });
  });

  it("is an event with its seconds to the microsecond, on one line whatever is in it", () => {
    expect(castEvent(1_234.567_89, "o", "\u001B[1m\r\n\u20ac")).toBe(
      '[1.234568,"o","\\u001b[1m\\r\\n\u20ac"]',
    );
    expect(readCastLine(castEvent(1_500, "o", "a\nb"))).toEqual({
      kind: "output",
      atMs: 1_500,
      text: "a\nb",
    });
    expect(readCastLine(castEvent(0, "m", "why"))).toEqual({ kind: "mark", atMs: 0, text: "why" });
    const size = { cols: 132, rows: 43 };
    expect(readCastLine(castEvent(2, "r", castSize(size)))).toEqual({
      kind: "resize",
      atMs: 2,
      size,
    });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["another version", '{"version":1,"width":80,"height":24}'],
    ["a size that none has", '{"version":2,"width":0,"height":24}'],
    ["input", '[1,"i","secret"]'],
    ["a time that none has", '[-1,"o","x"]'],
    ["too short an event", '[1,"o"]'],
    ["a number for text", '[1,"o",3]'],
    ["a size that is none", '[1,"r","80"]'],
    ["too large a size", '[1,"r","8000x24"]'],
    ["too long a text", JSON.stringify([1, "o", "x".repeat(70_000)])],
  ])("is taken for nothing when it is %s", (_what, line) => {
    expect(readCastLine(line)).toBeUndefined();
  });
});
