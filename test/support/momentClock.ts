import { type Clock, SYSTEM_CLOCK } from "../../agent/src/platform/clock.ts";
import type { FakeClock } from "./clock.ts";

/** What takes no longer passes by itself. */
const MOMENT_MS = 5;

/** A clock that stands still but for moments: what programs write is gathered for one before it is shown. */
export function withMoments(clock: FakeClock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, run) => (ms <= MOMENT_MS ? SYSTEM_CLOCK : clock).after(ms, run),
  };
}
