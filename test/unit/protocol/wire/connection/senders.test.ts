import { type Sender, Senders } from "@rport/protocol/wire/connection/senders";
import { describe, expect, it } from "vitest";

/** Senders in turns of so many packets; `next` is the next turn. */
function setUp(perTurn: number) {
  let sent = 0;
  let asked: (() => void)[] = [];
  const senders = new Senders({
    turns: {
      nowMs: () => sent,
      isOver: (since) => sent - since >= perTurn,
      later: (work) => void asked.push(work),
    },
    notifyDrain: () => {},
  });
  const next = (): number => {
    const before = sent;
    const works = asked;
    asked = [];
    for (const work of works) work();
    return sent - before;
  };
  const order: number[] = [];
  const sender = (id: number): Sender => ({
    pump: () => {
      sent += 1;
      order.push(id);
    },
  });
  return { senders, sender, next, order, sent: () => sent };
}

describe("channels that wait to send", () => {
  it("are pumped in order when there is room again, as many in a turn as there is time for", () => {
    const { senders, sender, next, order, sent } = setUp(20);
    for (let id = 0; id < 50; id += 1) senders.waitForRoom(sender(id));
    senders.pump();
    expect(sent()).toBe(20);
    expect([next(), next(), next()]).toEqual([20, 10, 0]);
    expect(order).toEqual(Array.from({ length: 50 }, (_, id) => id));
  });

  it("are pumped once in a turn, and not when they have nothing to send any more", () => {
    const { senders, sender, next, order } = setUp(100);
    const busy: Sender = {
      pump: () => {
        order.push(1);
        senders.waitForTurn(busy);
      },
    };
    const gone = sender(2);
    senders.waitForTurn(busy);
    senders.waitForTurn(gone);
    senders.forget(gone);
    next();
    expect(order).toEqual([1]);
    next();
    expect(order).toEqual([1, 1]);
    senders.clear();
    next();
    expect(order).toEqual([1, 1]);
  });
});
