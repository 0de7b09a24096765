import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { settled, view } from "./viewerFixture.ts";

/** Of colours, for a program that has not asked to be told of pastes. */
const PASTE = "\u001B[31mred\u001B[0m\n".repeat(200);
const ANSWER = "\u001B]10;rgb:cccc/cccc/cccc\u001B\\";

describe("answers of a terminal to a host that does not take them", () => {
  it("S-53: are thrown away once more than a window waits; keys and pastes go on", async () => {
    const { host, viewer, clock } = await view();
    host.isReading = false;
    for (let count = 0; count < 10_000; count += 1) expect(viewer.type(ANSWER)).toBe(true);
    viewer.type("ls\r");
    viewer.type("\u001B[200~date\u001B[201~");
    viewer.type("\u001B[A");
    viewer.type("\u001B[27u");
    viewer.type(PASTE);
    host.cut();
    clock.advance(500);
    await settled();
    host.readOn();
    const answers = host.read.split(ANSWER).length - 1;
    expect(answers * ANSWER.length).toBeLessThanOrEqual(TERMINAL.inputWindowBytes + ANSWER.length);
    expect(host.read.slice(answers * ANSWER.length)).toBe(
      `ls\r\u001B[200~date\u001B[201~\u001B[A\u001B[27u${PASTE}`,
    );
    viewer.type(ANSWER);
    expect(host.read.endsWith(`${PASTE}${ANSWER}`)).toBe(true);
  });
});
