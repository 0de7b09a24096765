import {
  encodeFrame,
  FRAME_DATA_BYTES,
  type Frame,
  FrameError,
  FrameReader,
  VIEWER_KINDS,
} from "@rport/protocol/terminal/frame";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const json = fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all));
const bytes = json.filter(({ length }) => length > 0);
const offset = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const count = fc.integer({ min: 1, max: 1_000 });

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constantFrom("open", "attached", "ended"), json }),
  fc.record({ kind: fc.constantFrom("input", "urgent", "output"), offset, bytes }),
  fc.record({ kind: fc.constantFrom("outputTaken", "inputTaken"), offset }),
  fc.record({ kind: fc.constant("resize" as const), cols: count, rows: count }),
  fc.record({ kind: fc.constant("signal" as const), signal: fc.constantFrom("INT", "KILL") }),
  fc.record({ kind: fc.constant("close" as const) }),
) as fc.Arbitrary<Frame>;

describe("frames of a terminal", () => {
  it("are read as they were written, whatever the pieces they come in", () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), cuts, (frames, lengths) => {
        const all = Buffer.concat(frames.map(encodeFrame));
        expect(readInPieces(all, lengths)).toEqual(frames);
      }),
    );
  });

  it("never hold more than one of them, whatever they come in", () => {
    const reader = new FrameReader();
    const whole = encodeFrame({ kind: "output", offset: 7, bytes: Buffer.alloc(FRAME_DATA_BYTES) });
    for (const byte of whole.subarray(0, -1)) {
      expect(reader.read(Buffer.of(byte))).toEqual([]);
      expect(reader.heldBytes).toBeLessThanOrEqual(whole.length);
    }
    expect(reader.read(whole.subarray(-1))).toHaveLength(1);
    expect(reader.heldBytes).toBe(0);
  });

  it("are refused before their content comes when they say that it is too long", () => {
    const head = Buffer.of(17, 0x00, 0x80, 0x07);
    expect(() => new FrameReader().read(head)).toThrow("too long a frame: output");
    const tooLong = Buffer.alloc(FRAME_DATA_BYTES + 1);
    expect(() => encodeFrame({ kind: "output", offset: 0, bytes: tooLong })).toThrow(FrameError);
  });

  it.each([
    ["of an unknown kind", [99, 0, 0, 0]],
    ["of a size that no terminal has", [3, 0, 0, 4, 0, 0, 0, 24]],
    ["of a resize of three bytes", [3, 0, 0, 3, 0, 80, 0]],
    ["of input without its offset", [2, 0, 0, 2, 0, 0]],
    ["of an unknown signal", [7, 0, 0, 3, 0x53, 0x54, 0x4f]],
    ["of a close with content", [6, 0, 0, 1, 0]],
  ])("%s are refused", (_what, wire) => {
    expect(() => new FrameReader().read(Buffer.from(wire))).toThrow(FrameError);
  });

  it.each(["input", "urgent", "output"] as const)("are none without bytes: %s", (kind) => {
    const empty = encodeFrame({ kind, offset: 7, bytes: Buffer.alloc(0) });
    expect(() => new FrameReader().read(empty)).toThrow(FrameError);
  });

  it("of viewers are not those of hosts", () => {
    expect([...VIEWER_KINDS]).not.toContain("output");
    expect([...VIEWER_KINDS]).toContain("urgent");
  });
});

function readInPieces(all: Buffer, lengths: readonly number[]): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let at = 0, turn = 0; at < all.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    // What comes later in the same memory must not change what was read: readers copy what they keep.
    frames.push(...reader.read(Buffer.from(all.subarray(at, at + length))));
    at += length;
  }
  return frames;
}
