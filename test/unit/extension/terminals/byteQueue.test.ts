import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteQueue } from "../../../../extension/src/terminals/byteQueue.ts";

/** All of it. */
function bytesOf(queue: ByteQueue): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < queue.length; at += pieces.at(-1)?.length ?? 1) {
    pieces.push(queue.read(at, queue.length));
  }
  return Buffer.concat(pieces);
}

const length = fc.oneof(fc.nat(8), fc.nat(200_000));
const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), length, fill: fc.nat(255) }),
  fc.record({ kind: fc.constantFrom("drop" as const, "keep" as const), length, fill: fc.nat(1) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What is there after a step, in one piece. */
function after(all: Buffer, { kind, length: count, fill }: Step): Buffer {
  if (kind === "add") return Buffer.concat([all, Buffer.alloc(count, fill)]);
  return kind === "drop" ? all.subarray(count) : all.subarray(0, count);
}

describe("bytes in a queue", () => {
  it("are what was added, without what was dropped at either end", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const queue = new ByteQueue();
        for (const { kind, length: count, fill } of steps) {
          if (kind === "add") queue.add(Buffer.alloc(count, fill));
          else queue[kind](count);
        }
        const all = steps.reduce(after, Buffer.alloc(0));
        expect(queue.length).toBe(all.length);
        expect(bytesOf(queue).equals(all)).toBe(true);
        expect(queue.read(all.length, 1)).toHaveLength(0);
      }),
    );
  });
});
