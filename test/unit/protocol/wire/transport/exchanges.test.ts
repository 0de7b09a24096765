import { Exchanges } from "@rport/protocol/wire/transport/exchanges";
import { describe, expect, it, vi } from "vitest";
import { FakeClock } from "../../../../support/clock.ts";

function watch() {
  const clock = new FakeClock();
  const onOverdue = vi.fn();
  const exchanges = new Exchanges({ clock, exchangeMs: 30_000, rekeyBytes: 1000, onOverdue });
  return { clock, onOverdue, exchanges };
}

describe("the watch over key exchanges", () => {
  it("asks for new keys after so many bytes, and counts anew after each exchange", () => {
    const { exchanges } = watch();
    exchanges.flow(600);
    expect(exchanges.isDue).toBe(false);
    exchanges.flow(600);
    expect(exchanges.isDue).toBe(true);
    exchanges.end();
    expect(exchanges.isDue).toBe(false);
    expect(exchanges.count).toBe(1);
  });

  it("C-12: reports an exchange that does not end, once", () => {
    const { clock, exchanges, onOverdue } = watch();
    exchanges.observe(true);
    clock.advance(20_000);
    exchanges.observe(true);
    clock.advance(9999);
    expect(onOverdue).not.toHaveBeenCalled();
    clock.advance(1);
    expect(onOverdue).toHaveBeenCalledOnce();
  });

  it("keeps no timer when no exchange is running", () => {
    const { clock, exchanges } = watch();
    exchanges.observe(true);
    exchanges.observe(false);
    expect(clock.timers).toBe(0);
  });

  it("lets a peer start thirty for nothing, and then no more", () => {
    const { exchanges } = watch();
    const answers = Array.from({ length: 31 }, () => exchanges.end());
    expect(answers.filter(Boolean).length).toBe(30);
    expect(answers.at(-1)).toBe(false);
  });

  it("lets a peer that moves data, or takes its time, go on for ever", () => {
    const { clock, exchanges } = watch();
    const byData = Array.from({ length: 200 }, () => {
      exchanges.carried(2 << 20);
      return exchanges.end();
    });
    const byTime = Array.from({ length: 200 }, () => {
      clock.advance(60_000);
      return exchanges.end();
    });
    expect([...byData, ...byTime].every(Boolean)).toBe(true);
  });

  it("lets no exchange pay for others by its own size", () => {
    const { exchanges } = watch();
    const answers = Array.from({ length: 31 }, () => {
      exchanges.flow(16 << 20);
      return exchanges.end();
    });
    expect(answers.at(-1)).toBe(false);
  });

  it("lets nobody have one each second for ever", () => {
    const { clock, exchanges } = watch();
    const answers = Array.from({ length: 40 }, () => {
      clock.advance(1000);
      return exchanges.end();
    });
    expect(answers.at(-1)).toBe(false);
  });

  it("does not hold our own exchanges against the peer", () => {
    const { exchanges } = watch();
    const answers = Array.from({ length: 100 }, () => {
      exchanges.startOurs();
      return exchanges.end();
    });
    expect(answers.every(Boolean)).toBe(true);
  });
});
