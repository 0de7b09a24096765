import { HeldBytes, type HeldShare } from "@rport/protocol/wire/held";
import { describe, expect, it } from "vitest";

function setUp({ max = 1_000, perConnection = 400 } = {}) {
  const full: number[] = [];
  const all = new HeldBytes({ max, perConnection, onFull: () => full.push(1) });
  const ended: string[] = [];
  const open = (name: string): HeldShare => all.open(() => void ended.push(name));
  return { all, open, ended, full };
}

describe("what a process holds for its connections", () => {
  it("is the sum of their parts, and nothing of those that have ended", () => {
    const { all, open } = setUp();
    const [one, two] = [open("one"), open("two")];
    one.set("message", 100);
    one.set("message", 70);
    one.add("requests", 30);
    two.promise(200);
    expect([all.bytes, one.heldBytes, two.promisedBytes]).toEqual([300, 100, 200]);
    one.close();
    one.close();
    one.set("message", 50);
    two.promise(-150);
    expect([all.bytes, all.free]).toEqual([50, 950]);
  });

  it("is bounded: whoever holds most is ended, and goes on being so until all fits", () => {
    const { all, open, ended, full } = setUp();
    const [small, large, larger] = [open("small"), open("large"), open("larger")];
    small.set("message", 100);
    large.set("unsent", 350);
    larger.set("message", 500);
    expect(ended).toEqual([]);
    small.set("message", 200);
    expect([ended, full.length, all.bytes]).toEqual([["larger"], 1, 550]);
    small.set("message", 1_200);
    expect([ended, all.bytes]).toEqual([["larger", "small"], 350]);
  });

  it("ends nobody for room that was only promised", () => {
    const { open, ended } = setUp();
    const [one, two] = [open("one"), open("two")];
    one.promise(900);
    two.promise(200);
    expect(ended).toEqual([]);
    two.set("requests", 1);
    expect(ended).toEqual(["two"]);
  });

  it("tells each connection what is left for all", () => {
    const { open } = setUp();
    const [one, two] = [open("one"), open("two")];
    one.promise(100);
    one.set("stalled", 100);
    expect([two.processFree, two.isProcessFull]).toEqual([800, false]);
    two.promise(800);
    expect([one.processFree, one.isProcessFull]).toEqual([0, true]);
  });
});
