import { describe, expect, it } from "vitest";
import {
  PendingSocket,
  PendingSockets,
} from "../../../../../backend/src/clients/door/pendingSockets.ts";
import { FakeClock } from "../../../../support/clock.ts";

function setUp(max: number, perNetworkMax: number, known: readonly string[] = []) {
  const clock = new FakeClock();
  const isKnown = (network: string) => known.includes(network);
  const pending = new PendingSockets({ max, perNetworkMax, isKnown, clock });
  const evicted: string[] = [];
  const take = (network: string, name = network): PendingSocket => {
    const socket = pending.take(network);
    if (!(socket instanceof PendingSocket)) throw new Error(socket);
    socket.onEvicted = () => void evicted.push(name);
    return socket;
  };
  return { clock, pending, evicted, take };
}

describe("sockets that have not signed in", () => {
  it("have their places, in total and per network, and give them back once", () => {
    const { pending, take } = setUp(3, 2);
    const first = take("a");
    take("a");
    expect(pending.take("a")).toBe("crowded");
    take("b");
    expect(pending.take("c")).toBe("full");
    first.release();
    first.release();
    take("c");
    expect(pending.take("d")).toBe("full");
  });

  it("have five times as many where agents are", () => {
    const { pending, take } = setUp(100, 2, ["a"]);
    for (let n = 0; n < 10; n += 1) take("a");
    expect(pending.take("a")).toBe("crowded");
  });

  it("C-32: lose their places to newcomers, the longest silent one first", () => {
    const { clock, evicted, take } = setUp(100, 3);
    for (const name of ["first", "second", "third"]) take("a", name);
    clock.advance(1_000);
    take("a", "newcomer");
    take("a", "another");
    expect(evicted).toEqual(["first", "second"]);
  });

  it("C-32: of the most crowded network go first when all places are taken", () => {
    const { clock, evicted, take } = setUp(4, 3);
    take("small");
    for (const name of ["one", "two", "three"]) take("crowd", name);
    clock.advance(1_000);
    take("newcomer");
    expect(evicted).toEqual(["one"]);
  });

  it("keep their places while something of theirs waits for us, or just came", () => {
    const { clock, pending, evicted, take } = setUp(100, 2);
    const waiting = take("a", "waiting");
    const talking = take("a", "talking");
    waiting.beginTurn();
    clock.advance(10_000);
    talking.beginTurn();
    talking.endTurn(clock.monotonic());
    expect(pending.take("a")).toBe("crowded");
    clock.advance(250);
    take("a", "newcomer");
    expect(evicted).toEqual(["talking"]);
  });

  it("keep them longer after a key exchange, but not for ever", () => {
    const { clock, pending, evicted, take } = setUp(100, 1);
    take("a", "keyed").passKeys();
    clock.advance(4_999);
    expect(pending.take("a")).toBe("crowded");
    clock.advance(1);
    take("a", "newcomer");
    expect(evicted).toEqual(["keyed"]);
  });
});
