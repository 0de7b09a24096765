import { createSecretKey } from "node:crypto";
import { recordingIdSchema } from "@rport/protocol/terminal/recording";
import { describe, expect, it } from "vitest";
import {
  type Block,
  fileKey,
  newPrefix,
  openBlock,
  sealBlock,
} from "../../../../backend/src/recordings/sealedBlocks.ts";

const ID = recordingIdSchema.parse(`${"A".repeat(22)}.1`);
const OTHER = recordingIdSchema.parse(`${"A".repeat(22)}.2`);
const AUDIT_KEY = createSecretKey(Buffer.alloc(32, 7));
const PREFIX = newPrefix();
const BLOCK: Block = {
  kind: "events",
  number: 5,
  outputTo: 2 ** 40 + 1,
  content: Buffer.from("what was shown"),
};

function keyOf(prefix = PREFIX, id = ID, auditKey = AUDIT_KEY) {
  const key = fileKey(auditKey, prefix, id);
  if (key === undefined) throw new Error("no begin of a recording");
  return key;
}

describe("S-64 a block of a recording", () => {
  const sealed = sealBlock(BLOCK, keyOf());

  it("opens in its place, and says how much of the output it has come to", () => {
    expect(openBlock(sealed, 5, keyOf())).toEqual({ ...BLOCK, length: sealed.length });
    expect(sealed.includes("what was shown")).toBe(false);
    expect(sealBlock(BLOCK, keyOf()).equals(sealed)).toBe(false);
  });

  it("opens with no other key, of no other file, under no other name, and in no other place", () => {
    const others = [
      keyOf(newPrefix()),
      keyOf(PREFIX, OTHER),
      keyOf(PREFIX, ID, createSecretKey(Buffer.alloc(32, 8))),
    ];
    for (const key of others) expect(openBlock(sealed, 5, key)).toBe("wrong");
    expect(openBlock(sealed, 4, keyOf())).toBe("wrong");
  });

  it("opens no more when any of its bits was changed", () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const altered = Buffer.from(sealed);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      expect(openBlock(altered, 5, keyOf())).not.toHaveProperty("content");
    }
  });

  it("is incomplete as long as a byte is missing", () => {
    for (const length of [0, 3, 14, 15, 40, sealed.length - 1]) {
      expect(openBlock(sealed.subarray(0, length), 5, keyOf())).toBe("incomplete");
    }
  });

  it("is none of a file that begins otherwise", () => {
    expect(fileKey(AUDIT_KEY, Buffer.alloc(0), ID)).toBeUndefined();
    expect(fileKey(AUDIT_KEY, Buffer.alloc(100), ID)).toBeUndefined();
  });
});
