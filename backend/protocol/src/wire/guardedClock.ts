import type { WireClock } from "./clock.ts";
import { guarded, type OnFault } from "./contain.ts";

/** A clock of the backend or the agent. */
export interface FullClock extends WireClock {
  now(): number;
}

/** The same clock; what its timers run can throw whatever it likes: that goes to `onFault`. */
export function guardedClock(clock: FullClock, onFault: OnFault): FullClock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delayMs, action) => clock.after(delayMs, guarded(onFault, action)),
  };
}
