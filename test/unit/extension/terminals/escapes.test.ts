import { describe, expect, it } from "vitest";
import { Escapes } from "../../../../extension/src/terminals/escapes.ts";
import { shownIn } from "./editorTerminal.ts";
import { passed } from "./passedOutput.ts";

/** What is known after this was read, whole and character by character. */
function read(text: string) {
  const whole = new Escapes();
  const { asked } = whole.read(text);
  const cut = new Escapes();
  const askedOfCut = [...text].reduce((sum, char) => sum + cut.read(char).asked, 0);
  expect({ asked: askedOfCut, isComplete: cut.isComplete }).toEqual({
    asked,
    isComplete: whole.isComplete,
  });
  return { asked, isComplete: whole.isComplete };
}

describe("where a terminal stands in its output", () => {
  it.each([
    ["text", "$ ls\r\n"],
    ["a colour", "\u001B[1;31mred\u001B[0m"],
    ["a character set", "\u001B(B"],
    ["a title that a bell ends", "\u001B]0;web-01\u0007"],
    ["a title that its own end ends", "\u001B]0;web-01\u001B\\"],
    ["a device's string", "\u001BP1$r0m\u001B\\"],
    ["a string of an application", "\u001B_G;AAAA\u001B\\"],
    ["a sequence that was given up", "\u001B[12\u0018"],
    ["a sequence of eight bits", "\u009B31m"],
    ["an escape within a sequence", "\u001B[3\u001B[0m"],
    ["letters beyond ASCII", "äöü\u{1F600}"],
    ["a sequence that a letter beyond ASCII ends", "\u001B[31é"],
    ["a control within an escape", "\u001B\n(B"],
    ["a sequence of eight bits within another", "\u001B[3\u009B0m"],
  ])("is the ground behind %s", (_, text) => {
    expect(read(text)).toEqual({ asked: 0, isComplete: true });
  });

  it.each([
    ["an escape", "$ \u001B"],
    ["a begun sequence", "\u001B[1;3"],
    ["half of a character set", "\u001B("],
    ["a string that begins behind a control", "\u001B\nPq"],
    ["a string of eight bits within a sequence", "\u001B[3\u0090q"],
    ["a begun title", "\u001B]0;web\r\n"],
    ["a picture, in which a bell ends nothing", "\u001BPq#0;2\u0007~~"],
    ["a title whose end is begun", "\u001B]0;web\u001B"],
  ])("is within %s", (_, text) => {
    expect(read(text)).toEqual({ asked: 0, isComplete: false });
  });

  it.each([
    ["asks for it", "\u001B[?2004h$ ", true],
    ["asks for it among others", "\u001B[?25;2004;1h", true],
    ["takes it back", "\u001B[?2004h$ \u001B[?2004l", false],
    ["asks for something else", "\u001B[?12004h\u001B[2004h\u001B]0;?2004h\u0007", false],
    ["makes its terminal new", "\u001B[?2004h\u001Bc", false],
    ["resets its terminal", "\u001B[?2004h\u001B[!p", false],
    ["resets it with a number", "\u001B[?2004h\u001B[1;2!p", false],
    ["resets nothing", "\u001B[?2004h\u001B[p\u001B[?!p\u001B[!!p\u001B[!1p\u001B[!q", true],
  ])("knows whether pastes are to be marked: a program %s", async (_, text, marked) => {
    expect(passed([text]).takesPastes).toBe(marked);
    expect(passed([...text]).takesPastes).toBe(marked);
    expect((await shownIn([text])).takesPastes).toBe(marked);
  });

  it("counts the questions for the status, and no others", () => {
    expect(read("\u001B[5n a \u001B[5n\u001B[6n\u001B[?5n\u001B[15n\u001B]0;\u0007[5n").asked).toBe(
      2,
    );
    expect(read("\u001B[\n5\u007Fn").asked).toBe(1);
    expect(read("\u001B[05n\u001B[5;1n\u001B[5 n\u001B[5<n\u001B[;5n").asked).toBe(2);
    expect(read("\u001B]0;a\u0085\u001B]0;[5n\u0090q\u0081\u001B[5n").asked).toBe(1);
  });
});
