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
