import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginningOf, ownText } from "../../../backend/protocol/src/asking/ownText.ts";
import { shownProcess } from "../../../backend/protocol/src/tunnels/listening.ts";
import { peerText } from "../../../backend/protocol/src/wire/wireError.ts";
import { cut } from "../../../backend/src/audit/facts.ts";
import { clean } from "../../../backend/src/clients/registry/inventory.ts";
import { printable } from "../../../backend/src/pairing/printable.ts";

/** Of one text that is cut; longer ones are not in the heap. */
const LONG = 512 << 10;
const TIMES = 80;

/** What is in use after all that nobody needs is gone, in bytes. */
function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

/** A text of a peer, unlike any other, of which little is to be kept. */
function long(n: number): string {
  return Buffer.from(`number ${n} of many such texts`.padEnd(LONG, " ")).toString();
}

describe("a part of a text", () => {
  it("is the same text", () => {
    const text = fc.string({ unit: "binary", maxLength: 100 });
    fc.assert(fc.property(text, (each) => ownText(each) === each));
    const isBeginning = (each: string, max: number) =>
      beginningOf(each, max) === each.slice(0, max);
    fc.assert(fc.property(text, fc.nat(50), isBeginning));
    expect(ownText("\ud800 and no other half")).toBe("\ud800 and no other half");
  });

  it.each([
    ["of a peer's goodbye", peerText],
    ["of what an agent says of its host", clean],
    ["of a fact of the audit log", (text: string) => cut(text)],
    ["of a program that listens", shownProcess],
    ["of a pairing's step", (text: string) => printable(text, 100)],
    ["of any other", (text: string) => beginningOf(text, 100)],
  ])("%s keeps nothing of the rest in memory", (_, part) => {
    const before = usedBytes();
    const kept = Array.from({ length: TIMES }, (_one, n) => part(long(n)));
    expect(usedBytes() - before).toBeLessThan((TIMES * LONG) / 8);
    expect(new Set(kept).size).toBe(TIMES);
  });
});
