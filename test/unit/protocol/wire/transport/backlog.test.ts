import { Backlog } from "@rport/protocol/wire/transport/backlog";
import { describe, expect, it } from "vitest";

function setUp() {
  const sent: string[] = [];
  const later: (() => void)[] = [];
  const state = { isBlocked: true, empties: 0 };
  const backlog = new Backlog({
    turns: {
      nowMs: () => sent.length,
      isOver: (since) => sent.length - since >= 3,
      later: (work) => void later.push(work),
    },
    isBlocked: () => state.isBlocked,
    send: (payload) => void sent.push(payload.toString()),
    onEmpty: () => {
      state.empties += 1;
    },
  });
  const add = (text: string) => backlog.add(Buffer.from(text));
  return { backlog, add, sent, later, state };
}

describe("messages that wait for new keys", () => {
  it("go out some in each turn, in order, those that come meanwhile behind them", () => {
    const { backlog, add, sent, later, state } = setUp();
    for (const text of ["a", "b", "c", "d"]) add(text);
    backlog.drain();
    expect(sent).toEqual([]);
    state.isBlocked = false;
    backlog.drain();
    expect([sent, state.empties, backlog.isEmpty]).toEqual([["a", "b", "c"], 0, false]);
    add("e");
    later.shift()?.();
    expect([sent, state.empties]).toEqual([["a", "b", "c", "d", "e"], 1]);
    expect([backlog.isEmpty, backlog.bytes]).toEqual([true, 0]);
  });

  it("wait on when the next exchange begins meanwhile", () => {
    const { backlog, add, sent, later, state } = setUp();
    for (const text of ["a", "b", "c", "d"]) add(text);
    state.isBlocked = false;
    backlog.drain();
    state.isBlocked = true;
    later.shift()?.();
    expect([sent.length, backlog.isEmpty]).toEqual([3, false]);
    state.isBlocked = false;
    backlog.drain();
    expect(sent).toEqual(["a", "b", "c", "d"]);
  });

  it("cost at least 256 bytes each, however short they are", () => {
    const { backlog, add } = setUp();
    for (let n = 0; n < 100; n += 1) add("x");
    expect(backlog.bytes).toBeGreaterThanOrEqual(25_600);
  });
});
