import { describe, expect, it } from "vitest";
import { pasted, typedOf } from "../../../../extension/src/terminals/typed.ts";

const keys = (text: string, endsLine: boolean, lines = 1) => ({
  kind: "keys",
  text,
  lines,
  endsLine,
});

describe("what a terminal sends", () => {
  it.each([
    ["a letter", "q", false],
    ["one of two units", "\u{1F600}", false],
    ["what an input method puts together", "日本", false],
    ["Backspace", "\u007F", false],
    ["an arrow", "\u001B[A", false],
    ["arrows of a click into the line", "\u001B[D\u001B[D\u001B[D", false],
    ["Alt+x", "\u001Bx", false],
    ["Delete", "\u001B[3~", false],
    ["Tab", "\t", false],
    ["Enter", "\r", true],
    ["a new line of Ctrl+J", "\n", true],
    ["Ctrl+O, which a shell takes as Enter", "\u000F", true],
    ["Ctrl+C", "\u0003", true],
    ["Ctrl+D", "\u0004", true],
    ["Ctrl+Z", "\u001A", true],
    ["Ctrl+\\", "\u001C", true],
    ["a line with its end", "ls\r", true],
  ])("is typed: %s", (_, input, endsLine) => {
    expect(typedOf(input)).toEqual(keys(input, endsLine));
  });

  it.each([
    ["a letter", "\u001B[97;;97u", keys("a", false)],
    ["a capital letter", "\u001B[97:65;2;65u", keys("A", false)],
    ["Escape", "\u001B[27u", keys("\u001B", false)],
    ["Tab", "\u001B[9;1:2u", keys("\t", false)],
    ["Shift", "\u001B[57441;2u", keys("", false)],
    ["Num Lock", "\u001B[57360;129u", keys("", false)],
    ["a letter that is let go", "\u001B[97;1:3u", keys("", false)],
    ["an arrow that is held", "\u001B[1;1:2A", keys("\u001B[1;1:2A", false)],
    ["an arrow that is let go", "\u001B[1;1:3A", keys("", false)],
    ["Delete that is let go", "\u001B[3;1:3~", keys("", false)],
    ["Enter", "\u001B[13u", keys("\r", true)],
    ["Enter with Shift", "\u001B[13;2u", keys("\r", true)],
    ["Enter of the other block of keys", "\u001B[57414;1:1u", keys("\r", true)],
    ["Enter that is let go", "\u001B[13;1:3u", keys("", false)],
    ["Ctrl+C", "\u001B[99;5u", keys("\u0003", true)],
    ["Ctrl+D, with Num Lock", "\u001B[100:68:100;133:1u", keys("\u0004", true)],
    ["C with Alt", "\u001B[99;3u", keys("\u001B[99;3u", false)],
    ["F13", "\u001B[57376u", keys("\u001B[57376u", false)],
  ])("is typed also by its number, and for others in its plain form: %s", (_, input, typed) => {
    expect(typedOf(input)).toEqual(typed);
  });

  it.each([
    ["what it is", "\u001B[?1;2c"],
    ["what it is, again", "\u001B[>0;276;0c"],
    ["that it is well", "\u001B[0n"],
    ["where the cursor is", "\u001B[12;40R"],
    ["where the cursor is, at the top", "\u001B[1;1R"],
    ["a mode", "\u001B[?2004;1$y"],
    ["a colour", "\u001B]11;rgb:1e1e/1e1e/1e1e\u001B\\"],
    ["a setting", "\u001BP1$r0m\u001B\\"],
    ["its size", "\u001B[8;24;80t"],
    ["that it has the focus", "\u001B[I"],
    ["that it has it no more", "\u001B[O"],
    ["the mouse", "\u001B[<0;10;5M"],
    ["the mouse, as of old", "\u001B[M !!"],
    ["whether keys have numbers", "\u001B[?1u"],
    ["two answers at once", "\u001B[?1;2c\u001B[0n"],
    ["an answer behind a letter", "x\u001B[0n"],
    ["an answer of eight bits", "\u009B0n"],
  ])("S-58: is its own: %s", (_, input) => {
    expect(typedOf(input)).toEqual({ kind: "own" });
  });

  it("is a paste where its program wants that marked, whatever is in it", () => {
    const typed = typedOf("\u001B[200~one\rtwo\u001B[201~\u0003\u001B[201~");
    expect(typed).toEqual({
      kind: "paste",
      text: "one\rtwo\u241B[201~\u0003",
      lines: 2,
      endsLine: true,
    });
    expect(pasted("one\rtwo", true)).toBe("\u001B[200~one\rtwo\u001B[201~");
    expect(pasted("one", false)).toBe("one");
  });

  it("has as many lines as it has ends, and one more if it goes on", () => {
    expect(typedOf("one\rtwo\rthree")).toEqual(keys("one\rtwo\rthree", true, 3));
    expect(typedOf("one\r\ntwo\r\n")).toEqual(keys("one\r\ntwo\r\n", true, 2));
  });
});
