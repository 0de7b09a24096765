import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Escapes } from "../../../../extension/src/terminals/escapes.ts";
import { shownIn } from "./editorTerminal.ts";
import { inPieces, passed } from "./passedOutput.ts";
import { view } from "./viewerFixture.ts";

const STATUS_ANSWER = "\u001B[0n";
/** Is printed where a terminal is on the ground, and nowhere else. */
const PROBE = "!";

/** What begins a string of an application. */
const APPLICATION = ["\u001B_", "\u009F"];

/** What sequences are made of, and what has a terminal leave them. */
const piece = fc.constantFrom(
  ...["\u001B", "\u001B]", "\u009D", "\u001B[", "\u009B", "\u001BP", "\u0090", "\u001B_", "\u009F"],
  ...["\u001BX", "\u0098", "\u001B^", "\u009E", "\u001B\\", "\u009C", "\u0007", "\u0018", "\u001A"],
  ...["5", "2", "0", "52", "052", "52;", ";", "c;?", ":", "?", "<", " ", "#", "n", "5n", "q", "é"],
  ...["\u0000", "\n", "\u001C", "\u007F", "\u0080", "\u0085", "\u0099", "\u{1F600}", "\uFEFF", "x"],
);
const text = fc.array(piece, { maxLength: 12 }).map((list) => list.join(""));
const command = fc
  .tuple(
    ...[
      fc.constantFrom("\u001B]", "\u001B\n]", "\u009D"),
      fc.constantFrom("52", "052", "5\u00002"),
    ],
    ...[fc.constantFrom(";c;?", ";;eA==", ";"), fc.constantFrom("\u0007", "\u001B\\", "\u009C")],
  )
  .map((list) => list.join(""));
const output = fc
  .array(fc.oneof(text, command), { maxLength: 6 })
  .chain((list) => inPieces(list.join("")));
const RUNS = { numRuns: 100 };

describe("the clipboard of whoever looks at a terminal", () => {
  it.each([
    ["asks for it", "a\u001B]52;c;?\u0007b", "a\u001B\\b"],
    ["writes it", "a\u001B]52;c;eA==\u001B\\b", "a\u001B\\\u001B\\b"],
    ["empties it", "\u001B]52;\u009C$ ", "\u001B\\$ "],
    ["has it in the middle of a sequence", "\u001B[3\u001B]52;;?\u0007m", "\u001B[3\u001B\\m"],
    ["has it in eight bits", "\u001B[3\u009D52;;?\u0007m", "\u001B[3\u0018m"],
    [
      "has it behind zeros, and controls in it",
      "\u001B\n]\u00010\u000052\t;c;?\u0007",
      "\u001B\n\\",
    ],
    ["has something in it that a terminal does not see", "\u001B]5\uFEFF2;c;?\u0007", "\u001B\\"],
    ["goes on with another sequence", "\u001B]52;c;?\u001B[1mb", "\u001B\\\u001B[1mb"],
    ["gives it up", "\u001B]52;c;?\u0018b", "\u001B\\b"],
    ["goes on with another one", "\u001B]52;c;?\u009D52;c;?\u0007b", "\u001B\\\u0018b"],
    ["counts to it for long", `\u001B]${"0".repeat(99)}52;c;?\u0007b`, "\u001B\\b"],
  ])("S-69 is closed to a program that %s", (_, text, rest) => {
    expect(passed([text]).pieces.join("")).toBe(rest);
    expect(passed([...text]).pieces.join("")).toBe(rest);
  });

  it.each([
    ["a title", "\u001B]0;52;web\u0007"],
    ["another command", "\u001B]520;c;?\u0007\u001B]5;52\u0007\u001B]152;x\u001B\\"],
    ["one without a number", "\u001B]L52;\u0007\u001B];52;\u0007\u001B]5x2;\u0007\u001B]\u0007"],
    ["a link", "\u001B]8;id=52;https://example.com/\u0007x\u001B]8;;\u0007"],
    ["a mark", "\u001B]633;E;ls;52\u0007\u009D633;A\u009C"],
  ])("lets pass as it is: %s", (_, text) => {
    expect(passed([text]).pieces).toEqual([text]);
    expect(passed([...text]).pieces.join("")).toBe(text);
  });

  it("S-69 has nothing kept of what is written to it", () => {
    const escapes = new Escapes();
    const mebibyte = "eA==".repeat(1 << 18);
    const texts = ["\u001B]52;c;", mebibyte, mebibyte, "\u0007$ "].map(
      (each) => escapes.read(each).text,
    );
    expect(texts).toEqual(["\u001B\\", "", "", "$ "]);
  });

  it("S-69 is not answered from, whatever had the terminal do it", async () => {
    const { host, viewer, screen } = await view();
    host.write("$ \u001B]52;c;?\u0007");
    expect(screen()).toBe("$ \u001B\\");
    viewer.type("\u001B]52;c;c2VjcmV0\u0007");
    viewer.type("\u001B]052;;c2VjcmV0\u001B\\");
    viewer.type("ls");
    expect(host.read).toBe("ls");
  });
});

describe("output of a program, as the editor's terminal is given it", () => {
  it("S-69 never brings it to the clipboard, and all else to the same as before", async () => {
    await fc.assert(
      fc.asyncProperty(output, async (pieces) => {
        const { clipboard: _, ...open } = await shownIn([...pieces, "\u0018"]);
        const closed = await shownIn(passed([...pieces, "\u0018"]).pieces);
        expect(closed).toEqual({ ...open, clipboard: [] });
      }),
      RUNS,
    );
  });

  it("is counted as it is answered, and known for complete where it is", async () => {
    await fc.assert(
      fc.asyncProperty(output, async (pieces) => {
        const { asked, isComplete } = passed(pieces);
        const { answers, lines } = await shownIn([...pieces, PROBE]);
        expect(asked).toBe(answers.filter((answer) => answer === STATUS_ANSWER).length);
        const isOnGround = lines.join("").includes(PROBE);
        // letters beyond ASCII end a string of an application in some versions of the terminal
        const isString = APPLICATION.some((begin) => pieces.join("").includes(begin));
        if (!isString) expect(isComplete).toBe(isOnGround);
      }),
      RUNS,
    );
  });
});
