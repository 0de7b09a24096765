import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Escapes } from "../../../../extension/src/terminals/escapes.ts";
import { shownIn } from "./editorTerminal.ts";
import { inPieces, passed } from "./passedOutput.ts";

const END = "\u001B]8;;\u0007";
/** What a link may be about to lead to, in the terminal of somebody whose editor has it opened. */
const OPEN = /^(?!file:|command:|vscode)[a-z][a-z0-9+.-]*:/i;

/** What becomes of the command for a link, as a terminal has read it. */
function closedIn(data: string): string {
  const at = data.indexOf(";");
  const address = data.slice(at + 1);
  return at === -1 || address === "" || OPEN.test(address) ? data : ";";
}

const begin = fc.constantFrom(
  "\u001B]8;",
  "\u001B\n]08;",
  "\u009D8;",
  "\u009D0\u00018;",
  "\u001B]18;",
);
const name = fc.constantFrom("", "id=a", "i\u0000d=file:", "file:", "id=a:b=c", "é");
const address = fc.constantFrom(
  ...[
    "file:///etc/hosts",
    "FILE://server/share",
    "fi\u0001le:x",
    "f\uFEFFile:x",
    "file",
    "fil",
    ":",
  ],
  ...[
    "vscode://rport.rport/x",
    "vscode-insiders:x",
    "command:x",
    "Command:",
    "/etc/hosts:3",
    " file:x",
  ],
  ...[
    "https://a/?b;c",
    "http:",
    "mailto:a@b",
    "x-1.+:y",
    "1x:y",
    "files:x",
    "\u007Ffile:x",
    "éa:",
    "",
  ],
);
const end = fc.constantFrom(
  ...[
    "\u0007",
    "\u001B\\",
    "\u009C",
    "\u0018",
    "\u001A",
    "\u001B[1m",
    "\u0085",
    "\u009D0;t\u0007",
    "",
  ],
);
const link = fc
  .tuple(begin, name, fc.constantFrom(";", "", "\u0002;"), address, end)
  .map((parts) => parts.join(""));
const text = fc.constantFrom(
  "here",
  "\u001B[31m",
  "\u001B]0;web\u0007",
  "\u001B]52;c;?\u0007",
  "\n",
);
const output = fc
  .array(fc.oneof(link, text, fc.constant(END)), { maxLength: 8 })
  .chain((list) => inPieces(list.join("")));

describe("a link that a program of a host marks as such", () => {
  it.each([
    ["a file", "a \u001B]8;;file:///etc/hosts\u0007here\u001B]8;;\u0007", "a \u001B]8;;\u0007here"],
    [
      "a file, with a name",
      "\u001B]8;id=1;file://web/x\u001B\\here\u001B]8;;\u0007",
      "\u001B]8;;\u001B\\here",
    ],
    [
      "a share that the host names",
      "\u009D8;;FiLe://evil/share\u009Chere\u001B]8;;\u0007",
      "\u009D8;;\u009Chere",
    ],
    ["the editor", "\u001B]8;;vscode://ms.x/y\u0007here\u001B]8;;\u0007", "\u001B]8;;\u0007here"],
    ["a command of it", "\u001B]8;;command:x\u0007here\u001B]8;;\u0007", "\u001B]8;;\u0007here"],
    [
      "what the editor takes for a file",
      "\u001B]8;;/etc:1\u0007here\u001B]8;;\u0007",
      "\u001B]8;;\u0007here",
    ],
    ["no address", "\u001B]8;;etc\u0007here\u001B]8;;\u0007", "\u001B]8;;\u0007here"],
    [
      "a file, and gives it up",
      "\u001B]8;;file:x\u0018here\u001B]8;;\u0007",
      "\u001B]8;;\u0018here",
    ],
  ])("S-68 leads nowhere, and keeps its text, where it means %s", (_, all, rest) => {
    expect(passed([all]).pieces.join("")).toBe(`${rest}${END}`);
    expect(passed([...all]).pieces.join("")).toBe(`${rest}${END}`);
  });

  it.each([
    ["a page", "\u001B]8;;https://example.com/;file:\u0007here\u001B]8;;\u001B\\"],
    [
      "a page, with a long name",
      `\u009D8;id=${"f".repeat(250)};http://a\u009Chere\u001B]8;;\u0007`,
    ],
    ["mail", "\u001B]8;;mailto:a@b\u0007here\u001B]8;id=file:;\u0007"],
    ["what the editor asks about", "\u001B]8;;ssh://web\u0007here\u001B]8;;\u0007"],
    ["nothing", "\u001B]8\u0007\u001B]8;\u0007\u001B]8;file:\u0007\u001B]8;;\u0007"],
    ["not to be one", "\u001B]88;;file:x\u0007\u001B]0;8;;file:x\u0007\u001B[8;;file:x"],
  ])("is as it was where it means %s", (_, all) => {
    expect(passed([all]).pieces).toEqual([all]);
    expect(passed([...all]).pieces.join("")).toBe(all);
  });

  it.each([
    ["name", "\u001B]8;id="],
    ["address", "\u001B]8;;file:"],
    ["scheme", "\u001B]8;;"],
  ])("S-68 has nothing kept of a %s without an end", (_, start) => {
    const escapes = new Escapes();
    const mebibyte = "x".repeat(1 << 20);
    const texts = [start, mebibyte, mebibyte, "\u0007$ "].map((each) => escapes.read(each).text);
    expect(texts.join("")).toBe("\u001B]8;;\u0007$ ");
    expect(texts[3]).toBe("\u0007$ ");
  });

  it("S-68 never leads to this computer, and all else goes to the terminal as before", async () => {
    await fc.assert(
      fc.asyncProperty(output, async (pieces) => {
        const open = await shownIn([...pieces, "\u0018"]);
        const closed = passed([...pieces, "\u0018"]);
        const links = open.links.map(closedIn);
        expect(await shownIn(closed.pieces)).toEqual({ ...open, links, clipboard: [] });
      }),
      { numRuns: 100 },
    );
  });
});
