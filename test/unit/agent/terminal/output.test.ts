import { TERMINAL } from "@rport/protocol/terminal/terminal";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Output } from "../../../../agent/src/terminal/output.ts";

const WINDOW = TERMINAL.outputWindowBytes;
const SOME = Buffer.from("0123456789");

/** Bytes that tell where they were. */
function pattern(length: number, from = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (from + index) % 251));
}

describe("the output of a terminal", () => {
  it("has numbers, and is read from any that is kept", () => {
    const output = new Output();
    output.add(SOME);
    expect([output.start, output.end]).toEqual([0, 10]);
    expect(output.read(3, 4).toString()).toBe("3456");
    expect(output.read(8, 100).toString()).toBe("89");
  });

  it("is never more than a window unconfirmed, and what is unconfirmed is kept", () => {
    const output = new Output();
    output.add(pattern(WINDOW + 1_000));
    expect([output.end, output.waiting, output.isFull, output.isRoomy]).toEqual([
      WINDOW,
      1_000,
      true,
      false,
    ]);
    output.confirm(600);
    expect([output.end, output.start, output.waiting]).toEqual([WINDOW + 600, 600, 400]);
    expect(output.read(600, WINDOW)).toEqual(pattern(WINDOW, 600));
    output.confirm(output.end);
    expect([output.waiting, output.isRoomy]).toEqual([0, true]);
  });

  it("begins for a viewer where it asks to, or as near as there is something", () => {
    const output = new Output();
    output.add(pattern(WINDOW));
    output.confirm(WINDOW);
    output.add(SOME);
    expect(output.begin(undefined)).toBe(10);
    expect(output.begin(3)).toBe(10);
    expect(output.begin(WINDOW + 4)).toBe(WINDOW + 4);
    expect(output.begin(WINDOW + 99)).toBe(WINDOW + 10);
  });

  it("lets no viewer that was shown all overwrite what it has not confirmed", () => {
    const output = new Output();
    output.add(pattern(WINDOW));
    output.confirm(WINDOW);
    expect(output.begin(undefined)).toBe(0);
    output.add(SOME);
    expect([output.start, output.waiting]).toEqual([0, 10]);
    expect(output.read(0, WINDOW)).toEqual(pattern(WINDOW));
  });

  it("confirms nothing that there is not, and nothing twice", () => {
    const output = new Output();
    output.add(pattern(WINDOW));
    output.confirm(Number.MAX_SAFE_INTEGER);
    output.confirm(5);
    output.add(pattern(WINDOW));
    expect([output.end, output.waiting]).toEqual([2 * WINDOW, 0]);
  });

  it("of a program that goes on leaves out the oldest that waits, and says how much", () => {
    const output = new Output();
    const piece = pattern(100_000);
    for (let written = 0; written < 100; written += 1) output.add(piece);
    expect(output.waiting).toBeLessThanOrEqual(4 << 20);
    const { waiting } = output;
    output.confirm(WINDOW);
    const skipped = 10_000_000 - WINDOW - waiting;
    const marker = `\r\n[... ${skipped} bytes skipped ...]\r\n`;
    expect(output.read(WINDOW, marker.length).toString()).toBe(marker);
  });

  it("comes once and all, in whatever pieces it is written and confirmed", () => {
    const step = fc.record({ write: fc.nat(60_000), confirm: fc.nat(80_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const output = new Output();
        const written: Buffer[] = [];
        const seen: Buffer[] = [];
        let at = 0;
        const see = () => {
          const bytes = output.read(at, WINDOW);
          seen.push(Buffer.from(bytes));
          at += bytes.length;
        };
        let total = 0;
        for (const { write, confirm } of steps) {
          written.push(pattern(write, total));
          total += write;
          output.add(pattern(write, total - write));
          see();
          output.confirm(Math.min(at, output.end - WINDOW + confirm));
        }
        while (output.waiting > 0) {
          see();
          output.confirm(at);
        }
        see();
        expect(Buffer.concat(seen).equals(Buffer.concat(written))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
