import { Gathered, joined, memoryOf } from "@rport/protocol/wire/gathered";
import { describe, expect, it } from "vitest";

const READ_BYTES = 64 << 10;

/** One byte that keeps the whole read that it came in. */
const pinning = (value: number): Buffer => Buffer.alloc(READ_BYTES, value).subarray(7, 8);

/** Bytes that differ, cut into pieces of these sizes. */
function cut(sizes: readonly number[]) {
  const whole = Buffer.from(
    Array.from({ length: sizes.reduce((a, b) => a + b, 0) }, (_, n) => n % 251),
  );
  let at = 0;
  const pieces = sizes.map((size) => {
    at += size;
    return whole.subarray(at - size, at);
  });
  return { whole, pieces };
}

describe("what was gathered", () => {
  it("is the same bytes in their order, however it is taken", () => {
    const sizes = [1, 600, 20_000, 3, 70_000, 16_384, 1, 40_000, 100_000, 9];
    const { whole, pieces } = cut([...sizes, ...sizes]);
    const all = new Gathered();
    for (const piece of pieces) all.add(piece);
    expect(all.bytes).toBe(whole.length);
    expect(all.takeAll().equals(whole)).toBe(true);
    expect([all.bytes, all.blocks, all.take()]).toEqual([0, 0, undefined]);

    const taken: Buffer[] = [];
    const byBlocks = new Gathered();
    for (const [n, piece] of pieces.entries()) {
      byBlocks.add(piece);
      const block = n % 3 === 0 ? byBlocks.take() : undefined;
      if (block !== undefined) taken.push(block);
    }
    expect(Buffer.concat([...taken, byBlocks.takeAll()]).equals(whole)).toBe(true);
  });

  it("keeps a hundred thousand bytes that came one by one in two blocks of their own", () => {
    const all = new Gathered();
    for (let n = 0; n < 100_000; n += 1) all.add(pinning(n % 251));
    expect(all.blocks).toBe(2);
    const blocks = [all.take(), all.take()].filter((block) => block !== undefined);
    expect(memoryOf(blocks)).toBeLessThan(2 * 100_000);
    expect(Buffer.concat(blocks)[99_999]).toBe(99_999 % 251);
  });

  it("keeps a piece as it is that is most of its memory", () => {
    const piece = Buffer.alloc(READ_BYTES);
    const all = new Gathered();
    all.add(piece);
    expect(all.take()).toBe(piece);
  });
});

describe("pieces that are joined", () => {
  it("are the same bytes in few pieces, without the memory that they were cut from", () => {
    const pieces = Array.from({ length: 1_000 }, (_, n) => pinning(n % 251));
    const blocks = joined(pieces);
    expect(Buffer.concat(blocks).equals(Buffer.concat(pieces))).toBe(true);
    expect([blocks.length, memoryOf(blocks)]).toEqual([1, 1_000]);
  });

  it("are not copied again once they are large", () => {
    const pieces = Array.from({ length: 400 }, () => Buffer.allocUnsafeSlow(1_400).fill(1));
    const blocks = joined(pieces);
    const again = joined([...blocks, Buffer.of(1)]);
    expect(again.slice(0, -1)).toEqual(blocks);
    expect(again.filter((block) => blocks.includes(block))).toHaveLength(blocks.length);
    expect(memoryOf(blocks)).toBe(400 * 1_400);
  });
});
