import { setImmediate } from "node:timers/promises";
import { deferred } from "@rport/protocol/wire/deferred";
import { expect, it } from "vitest";
import { UrgentKeys } from "../../../../agent/src/terminal/urgentKeys.ts";
import { FakeClock } from "../../../support/clock.ts";

/** Keys of a program that is in front as soon as somebody says which. */
function keysOf() {
  const clock = new FakeClock();
  const front = deferred<number>();
  const sent: unknown[] = [];
  let times = 0;
  const ask = () => {
    times += 1;
    return front.promise;
  };
  const keys = new UrgentKeys({
    pty: { obeysKeys: async () => true },
    groups: {
      front: ask,
      signal: async (group, signal) => void sent.push([group, signal]),
    },
    clock,
    onFault: (error) => void sent.push(error),
  });
  return { clock, front, sent, keys, asked: () => times };
}

it("a signal is sent to who is still in front a moment after a key", async () => {
  const { clock, front, sent, keys } = keysOf();
  front.resolve(7);
  await keys.seeObeyed(Buffer.from("\x03"));
  clock.advance(1_000);
  await setImmediate();
  expect(sent).toEqual([[7, "INT"]]);
});

it("a program that ended while it was asked for gets no signal", async () => {
  const { clock, front, sent, keys } = keysOf();
  const seen = keys.seeObeyed(Buffer.from("\x03"));
  keys.cancel();
  front.resolve(7);
  await seen;
  clock.advance(1_000);
  await setImmediate();
  expect(sent).toEqual([]);
});

it("any number of keys asks once at a time who is in front, and the last one counts", async () => {
  const { clock, front, sent, keys, asked } = keysOf();
  const all = Array.from({ length: 1_000 }, () => keys.seeObeyed(Buffer.from("\x03")));
  all.push(keys.seeObeyed(Buffer.from("\x1c")));
  expect(asked()).toBe(1);
  front.resolve(7);
  await Promise.all(all);
  clock.advance(1_000);
  await setImmediate();
  expect(sent).toEqual([[7, "QUIT"]]);
});
