import { describe, expect, it } from "vitest";
import { Utf8Pieces } from "../../../../backend/src/recordings/utf8Pieces.ts";

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** The pieces' texts, and what was left at the end. */
function read(bytes: Buffer, cuts: readonly number[]): string[] {
  const pieces = new Utf8Pieces();
  const texts: string[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    texts.push(pieces.read(bytes.subarray(from, to)));
    from = to;
  }
  return [...texts, pieces.end()];
}

/** Bytes that look random and are the same each time; most begin or go on with a character. */
function strangeBytes(count: number): Buffer {
  const odd = [0x80, 0xbf, 0xc1, 0xc3, 0xe0, 0xa0, 0xed, 0x9f, 0xf0, 0x90, 0xf4, 0x8f, 0xf5, 0xff];
  let state = 7;
  return Buffer.from(
    Array.from({ length: count }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return (state >> 8) % 3 === 0 ? (state >> 16) % 256 : (odd[(state >> 12) % odd.length] ?? 0);
    }),
  );
}

describe("text in pieces", () => {
  it("has no character in two of them, wherever the bytes end", () => {
    const bytes = Buffer.from("a\u00fc\u20ac\u{1F600}\uFEFFz");
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const texts = read(bytes, [cut]);
      expect(texts.join("")).toBe("a\u00fc\u20ac\u{1F600}\uFEFFz");
      expect(texts.join("").includes("\uFFFD")).toBe(false);
    }
  });

  it("is the same for bytes that are no text, wherever they end", () => {
    const bytes = strangeBytes(3_000);
    const whole = DECODER.decode(bytes);
    for (const step of [1, 2, 3, 5, 7, 1_000]) {
      const cuts = Array.from(
        { length: Math.floor((bytes.length - 1) / step) },
        (_, n) => (n + 1) * step,
      );
      expect(read(bytes, cuts).join("")).toBe(whole);
    }
  });

  it("shows what never came to an end as what it is", () => {
    const pieces = new Utf8Pieces();
    expect(pieces.read(Buffer.from([0x61, 0xf0, 0x9f, 0x98]))).toBe("a");
    expect(pieces.waiting).toBe(3);
    expect(pieces.end()).toBe("\uFFFD");
    expect(pieces.waiting).toBe(0);
  });
});
