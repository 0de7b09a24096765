import { HeldBytes, type HeldShare } from "@rport/protocol/wire/held";
import { describe, expect, it } from "vitest";

function setUp({ max = 1_000, perConnection = 400, perGroup = 1_000 } = {}) {
  const full: number[] = [];
  const fullGroups: string[] = [];
  const all = new HeldBytes({
    max,
    perConnection,
    perGroup,
    onFull: () => full.push(1),
    onGroupFull: (group) => fullGroups.push(group),
  });
  const ended: string[] = [];
  const open = (name: string): HeldShare => all.open(() => void ended.push(name));
  return { all, open, ended, full, fullGroups };
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

  it("is bounded for each group: of those that share a password, who holds most is ended", () => {
    const { all, open, ended, full, fullGroups } = setUp({ perGroup: 300 });
    const [stolen, worse, honest] = [open("stolen"), open("worse"), open("honest")];
    stolen.set("unsent", 100);
    for (const share of [stolen, worse]) share.join("fleet");
    honest.join("others");
    honest.set("unsent", 290);
    worse.set("unsent", 200);
    worse.promise(300);
    expect(ended).toEqual([]);
    stolen.set("requests", 50);
    expect([ended, fullGroups, full]).toEqual([["worse"], ["fleet"], []]);
    stolen.set("requests", 200);
    expect([ended, all.bytes]).toEqual([["worse"], 590]);
    stolen.set("requests", 201);
    expect([ended, all.bytes]).toEqual([["worse", "stolen"], 290]);
  });

  it("is what it was for a group when the whole process has ended one of its connections", () => {
    const { open, ended } = setUp({ max: 500, perGroup: 400 });
    const [one, two, other] = [open("one"), open("two"), open("other")];
    for (const share of [one, two]) share.join("fleet");
    other.set("message", 200);
    one.set("unsent", 350);
    expect(ended).toEqual(["one"]);
    two.set("unsent", 290);
    expect(ended).toEqual(["one"]);
  });

  it("is bounded for those who talk to one peer: who has waited longest is ended, and not the peer", () => {
    let stalled = 0;
    const onStalled = () => {
      stalled += 1;
    };
    const all = new HeldBytes({ max: 1_000, perConnection: 400, perPeer: 250, onStalled });
    const ended: string[] = [];
    const share = all.open(() => void ended.push("peer"));
    const talker = (name: string) => ({ end: () => void ended.push(name) });
    const [first, second, third] = [talker("first"), talker("second"), talker("third")];
    share.wait(first, 100);
    share.wait(second, 100);
    share.wait(first, 0);
    share.wait(first, 100);
    share.wait(third, 50);
    expect([ended, share.heldBytes]).toEqual([[], 250]);
    share.wait(third, 100);
    expect([ended, share.heldBytes, stalled]).toEqual([["second"], 200, 1]);
    share.wait(second, 0);
    expect(share.heldBytes).toBe(200);
    const another = all.open(() => void ended.push("another"));
    another.set("message", 150);
    another.promise(800);
    expect(ended).toEqual(["second", "first", "another"]);
  });
});
