import { Backlog } from "@rport/protocol/wire/transport/backlog";
import { describe, expect, it } from "vitest";

function setUp() {
  const sent: string[] = [];
  const later: (() => void)[] = [];
  const state = { isBlocked: true, empties: 0 };
  const backlog = new Backlog({
    turns: {
      nowMs: () => sent.length,
      isOver: (since) => sent.length - since >= 20,
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
    const texts = Array.from({ length: 30 }, (_, n) => `${n}`);
    for (const text of texts) add(text);
    backlog.drain();
    expect(sent).toEqual([]);
    state.isBlocked = false;
    backlog.drain();
    expect([sent, state.empties, backlog.isEmpty]).toEqual([texts.slice(0, 20), 0, false]);
    add("last");
    later.shift()?.();
    expect([sent, state.empties]).toEqual([[...texts, "last"], 1]);
    expect([backlog.isEmpty, backlog.bytes]).toEqual([true, 0]);
  });

  it("wait on when the next exchange begins meanwhile", () => {
    const { backlog, add, sent, later, state } = setUp();
    for (let n = 0; n < 30; n += 1) add(`${n}`);
    state.isBlocked = false;
    backlog.drain();
    state.isBlocked = true;
    later.shift()?.();
    expect([sent.length, backlog.isEmpty]).toEqual([20, false]);
    state.isBlocked = false;
    backlog.drain();
    expect(sent).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`));
  });

  it("cost at least 256 bytes each, however short they are", () => {
    const { backlog, add } = setUp();
    for (let n = 0; n < 100; n += 1) add("x");
    expect(backlog.bytes).toBeGreaterThanOrEqual(25_600);
  });
});
