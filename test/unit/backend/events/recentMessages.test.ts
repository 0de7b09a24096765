import { describe, expect, it } from "vitest";
import type { Message } from "../../../../backend/src/events/message.ts";
import { RecentMessages } from "../../../../backend/src/events/recentMessages.ts";
import { FakeClock } from "../../../support/clock.ts";

const messageOf = (key: string): Message => ({
  key,
  texts: [],
  encode: () => Buffer.from(`{"key":"${key}"}`),
});

describe("the messages that were sent last", () => {
  it("are encoded once for all who are told the same at about the same time, and not kept for long", () => {
    const clock = new FakeClock();
    const recent = new RecentMessages(clock);
    const first = recent.bytesOf(messageOf("a"));
    clock.advance(1_000);
    expect(recent.bytesOf(messageOf("b"))).not.toBe(first);
    expect(recent.bytesOf(messageOf("a"))).toBe(first);
    clock.advance(1_000);
    expect(recent.bytesOf(messageOf("a"))).not.toBe(first);
    recent.clear();
    expect(clock.timers).toBe(0);
  });

  it("count with the memory that they keep in place, however short they are", () => {
    const recent = new RecentMessages(new FakeClock());
    const first = recent.bytesOf(messageOf("a"));
    for (let n = 0; n < 500; n += 1) recent.bytesOf(messageOf(String(n)));
    expect(recent.bytesOf(messageOf("a"))).toBe(first);
    for (let n = 0; n < 600; n += 1) recent.bytesOf(messageOf(String(n)));
    expect(recent.bytesOf(messageOf("a"))).not.toBe(first);
  });
});
