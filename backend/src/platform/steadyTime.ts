import type { Clock } from "./clock.ts";

/** Milliseconds since the epoch that pass as fast as real time does, in whole numbers. */
export type SteadyTime = () => number;

/**
 * The time as the machine's clock had it now, and from then on as time passes. What lasts "an hour
 * from now" ends an hour from now, also when somebody sets the machine's clock meanwhile.
 */
export function steadyTime(clock: Clock): SteadyTime {
  const offsetMs = clock.now() - clock.monotonic();
  return () => Math.round(offsetMs + clock.monotonic());
}

/** Times as people are told them: by the clock that they look at, also after somebody has set it. */
export interface ShownTimes {
  /** A moment of steady time: what ends an hour from now is shown an hour from now. */
  steady(steadyMs: number): number;
  /** What happened, by the machine's clock of then: it is never shown later than now. */
  past(epochMs: number): number;
}

/** What is closer than this to the machine's clock is what that shows: steady time is rounded. */
const SAME_MS = 1_000;

/** How times are shown by the machine's clock as it is at each call. */
export function shownTimes(clock: Pick<Clock, "now">, steady: SteadyTime): ShownTimes {
  return {
    steady(steadyMs) {
      const setMs = clock.now() - steady();
      return Math.abs(setMs) < SAME_MS ? steadyMs : steadyMs + setMs;
    },
    past: (epochMs) => Math.min(epochMs, clock.now()),
  };
}
