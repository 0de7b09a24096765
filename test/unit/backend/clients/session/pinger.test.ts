import { expect, it } from "vitest";
import type { LiveSession } from "../../../../../backend/src/clients/liveSession.ts";
import { Pinger } from "../../../../../backend/src/clients/session/pinger.ts";
import { FakeClock } from "../../../../support/clock.ts";

const noFault = () => {};

/** As much of a session as the pinger looks at. */
function silentFor(silentMs: number, canBePinged = true) {
  const pings: number[] = [];
  const ping = async (timeoutMs: number) => pings.push(timeoutMs) > 0;
  return { session: { silentMs, canBePinged, ping } as unknown as LiveSession, pings };
}

it("asks exactly those who were silent for the interval less 10 s, once per interval", () => {
  const clock = new FakeClock();
  const [silent, recent, double] = [
    silentFor(50_000),
    silentFor(49_999),
    silentFor(400_000, false),
  ];
  const sessions = [silent, recent, double].map((one) => one.session);
  const pinger = new Pinger({ clock, onFault: noFault, sessions: () => sessions });
  pinger.start();
  clock.advance(59_999);
  expect(silent.pings).toEqual([]);
  clock.advance(1);
  expect(silent.pings).toEqual([20_000]);
  expect(recent.pings).toEqual([]);
  expect(double.pings).toEqual([]);
  clock.advance(60_000);
  expect(silent.pings).toHaveLength(2);
  pinger.stop();
  expect(clock.timers).toBe(0);
});

it("asks 100 at a time", async () => {
  const clock = new FakeClock();
  let waiting = 0;
  let most = 0;
  const release: (() => void)[] = [];
  const session = {
    silentMs: 60_000,
    canBePinged: true,
    ping: async () => {
      waiting += 1;
      most = Math.max(most, waiting);
      await new Promise<void>((resolve) => release.push(resolve));
      waiting -= 1;
      return true;
    },
  } as unknown as LiveSession;
  const pinger = new Pinger({ clock, onFault: noFault, sessions: () => Array(250).fill(session) });
  pinger.start();
  clock.advance(60_000);
  let answered = 0;
  while (release.length > 0) {
    release.shift()?.();
    answered += 1;
    await new Promise(setImmediate);
  }
  expect(answered).toBe(250);
  expect(most).toBe(100);
  pinger.stop();
});
