import { PassThrough, Writable } from "node:stream";
import { LogOutput } from "@rport/protocol/logOutput";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const LINE = "x".repeat(99);

/** A file that takes nothing until it is let. */
function stalledFile() {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const file = new Writable({
    write(chunk, _encoding, done) {
      taken.push(String(chunk));
      waiting.push(done);
    },
  });
  const drain = () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
  };
  return { file, taken, drain };
}

function setUp() {
  const stalled = stalledFile();
  const files: Writable[] = [stalled.file];
  const next = new PassThrough();
  const clock = new FakeClock();
  const dropped: number[] = [];
  const output = new LogOutput({
    openFile: () => files.shift() ?? next,
    stderr: new PassThrough(),
    maxBytes: 1_000,
    clock,
  });
  output.start({
    onDropped: (lines) => dropped.push(lines),
    onFileFailed: () => undefined,
  });
  return { stalled, next, clock, dropped, output };
}

describe("the output of a log whose file takes nothing", () => {
  it("keeps as many bytes as it may, and tells how many lines it dropped once it flows again", async () => {
    const { stalled, dropped, output } = setUp();
    for (let n = 0; n < 50; n++) output.write(LINE);
    expect(dropped).toEqual([]);
    expect(output.waitingBytes).toBe(1_000);
    await eventually(() => {
      stalled.drain();
      expect(dropped).toEqual([40]);
    });
    expect(stalled.taken.length).toBe(10);
  });

  it("gives it up after a second when the file is opened anew, and counts what it could not keep", async () => {
    const { next, clock, dropped, output } = setUp();
    output.write("lost");
    const reopened = output.reopen();
    for (let n = 0; n < 50; n++) output.write(LINE);
    clock.advance(1_000);
    await reopened;
    expect(dropped).toEqual([40]);
    const text = String(next.read());
    expect(text.split("\n").length - 1).toBe(10);
  });
});
