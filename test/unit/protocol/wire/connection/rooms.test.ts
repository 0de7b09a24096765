import type { Room } from "@rport/protocol/wire/connection/room";
import { Rooms } from "@rport/protocol/wire/connection/rooms";
import { HeldBytes } from "@rport/protocol/wire/held";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../../support/clock.ts";

const KIB = 1 << 10;
const MIB = 1 << 20;

function setUp({ max = 64 * MIB, maxChannels = 5_120 } = {}) {
  const clock = new FakeClock();
  const all = new HeldBytes({ max, perConnection: 10 * MIB });
  const held = all.open(() => {});
  const rooms = new Rooms({ held, clock, maxChannels });
  const open = (): Room => {
    const room = rooms.first();
    if (room === undefined) throw new Error("there is no room");
    return room;
  };
  const sumOf = (some: readonly Room[]) => some.reduce((sum, { bytes }) => sum + bytes, 0);
  return { clock, all, held, rooms, open, sumOf };
}

/** The peer sends, and somebody reads, so much; answers what the peer may send beyond before. */
function pass(room: Room, bytes: number): number {
  let more = 0;
  for (let passed = 0; passed < bytes; passed += KIB) {
    if (!room.take(KIB)) throw new Error("more than the peer may send");
    more += room.giveBack(0);
  }
  return more - bytes;
}

describe("the room of a channel", () => {
  it("is 256 KiB at first, and 2 MiB for a fast reader", () => {
    const { open } = setUp();
    const room = open();
    expect(room.bytes).toBe(256 * KIB);
    pass(room, 4 * MIB);
    expect(room.bytes).toBe(2 * MIB);
  });

  it("is what the peer may send: not a byte more, and as much again as was read", () => {
    const { open } = setUp();
    const room = open();
    expect(room.take(256 * KIB)).toBe(true);
    expect(room.giveBack(256 * KIB)).toBe(0);
    expect(room.giveBack(200 * KIB)).toBe(0);
    expect(room.giveBack(100 * KIB)).toBe(156 * KIB);
    expect([room.take(156 * KIB), room.take(1)]).toEqual([true, false]);
  });

  it("stays as it is for a reader that is neither fast nor slow, and for one that stopped", () => {
    const { clock, open } = setUp();
    const [steady, stopped] = [open(), open()];
    for (let second = 0; second < 20; second += 1) {
      clock.advance(1_000);
      pass(steady, 100 * KIB);
    }
    stopped.take(stopped.bytes);
    expect([steady.bytes, stopped.giveBack(stopped.bytes)]).toEqual([256 * KIB, 0]);
  });

  it("goes back to 256 KiB for a reader that was fast and is slow now", () => {
    const { clock, open, held } = setUp();
    const room = open();
    pass(room, 4 * MIB);
    for (let second = 0; second < 600; second += 1) {
      clock.advance(1_000);
      pass(room, 32 * KIB);
    }
    expect([room.bytes, held.promisedBytes]).toEqual([256 * KIB, 256 * KIB]);
    expect(room.take(256 * KIB + 1)).toBe(false);
  });
});

describe("the rooms of a connection", () => {
  it("F-09: are never more than it may hold, and none is nothing", () => {
    const { open, rooms, sumOf, held } = setUp();
    const leastOf = (some: readonly Room[]) => Math.min(...some.map(({ bytes }) => bytes));
    const first = Array.from({ length: 256 }, open);
    expect(leastOf(first)).toBeGreaterThanOrEqual(8 * KIB);
    const all = [...first, ...Array.from({ length: 5_120 - 256 }, open)];
    expect(leastOf(all)).toBeGreaterThanOrEqual(400);
    expect(sumOf(all)).toBeLessThanOrEqual(10 * MIB);
    expect(held.promisedBytes).toBe(sumOf(all));
    expect(rooms.first()).toBeUndefined();
    for (const room of first) pass(room, 8 * MIB);
    expect(sumOf(all)).toBeLessThanOrEqual(10 * MIB);
  });

  it("F-09: leave enough for a fast reader beside a hundred that stopped", () => {
    const { open } = setUp();
    for (let n = 0; n < 100; n += 1) open();
    const fast = open();
    pass(fast, 4 * MIB);
    expect(fast.bytes).toBeGreaterThan(64 * KIB);
  });

  it("leave something for the next one, however many are fast", () => {
    const { open } = setUp();
    for (let n = 0; n < 6; n += 1) pass(open(), 8 * MIB);
    const next = open();
    pass(next, 4 * MIB);
    expect(next.bytes).toBeGreaterThan(128 * KIB);
  });

  it("go back once, when a channel is gone", () => {
    const { open, rooms, held } = setUp();
    const [one, two] = [open(), open()];
    one.release();
    one.release();
    expect([rooms.count, held.promisedBytes]).toEqual([1, two.bytes]);
  });

  it("are refused while the process holds all that it may", () => {
    const { all, open, rooms } = setUp({ max: 3 * MIB });
    const other = all.open(() => {});
    const room = open();
    other.promise(3 * MIB);
    expect(rooms.first()).toBeUndefined();
    const before = room.bytes;
    pass(room, MIB);
    expect(room.bytes).toBe(before);
    other.close();
    pass(room, 4 * MIB);
    expect(room.bytes).toBeGreaterThan(before);
    expect(rooms.first()).toBeDefined();
  });
});
