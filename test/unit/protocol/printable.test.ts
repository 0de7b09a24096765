import { escapedInJson, printableLine, printableLines } from "@rport/protocol/printable";
import { peerText } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { createLog as createAgentLog } from "../../../agent/src/platform/log.ts";
import { createLog } from "../../../backend/src/platform/log.ts";
import { FakeClock } from "../../support/clock.ts";

/** A title, the clipboard by one byte of C1, a cursor that goes back, and what turns the reading direction. */
const OBEYED =
  "a\u001B]0;owned\u0007b\u009D52;c;eA==\u009Cc\rd\u007Fe\u202Ef\u{E0041}g\u2028h\ti\nj";
// biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is looked at
const TERMINAL = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E\u2028]|\u{E0041}/u;

describe("S-45: other people's text for a terminal", () => {
  it("is on one line, or on the lines that it had, and has nothing that a terminal obeys", () => {
    expect(printableLine(OBEYED)).toBe("a ]0;owned b 52;c;eA== c d e f g h i j");
    expect(printableLines(OBEYED)).toBe("a ]0;owned b 52;c;eA== c d e f g h i\nj");
    expect(peerText(OBEYED)).toBe(printableLine(OBEYED));
    for (const plain of ["gr\u00FC\u00DF dich \u{1F600}", "one\n  two"]) {
      expect(printableLines(plain)).toBe(plain);
    }
  });

  it("is escaped in the lines of a log, and read there as it was", () => {
    expect(JSON.parse(escapedInJson(JSON.stringify({ a: `\\${OBEYED}` })))).toEqual({
      a: `\\${OBEYED}`,
    });
    const lines: string[] = [];
    const clock = new FakeClock();
    createLog({ clock, sink: (line) => lines.push(line) }).warn("x", { reason: OBEYED });
    createAgentLog({ level: "warn", clock, write: (line) => lines.push(line) }).warn("x", {
      reason: OBEYED,
    });
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toMatch(TERMINAL);
      expect(JSON.parse(line)).toMatchObject({ reason: OBEYED });
    }
  });
});
