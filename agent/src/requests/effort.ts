import type { Clock } from "../platform/clock.ts";
import type { Effort, Result, Work } from "./serverRequest.ts";

/** How long work may take, and what ends it before. */
export interface EffortLimit {
  readonly clock: Clock;
  readonly maxMs: number;
  /** Fires when nobody waits for the work any more. */
  readonly signal: AbortSignal;
}

/** Does work with a signal that fires when its time is over; the work has to heed it. */
export async function withEffort(
  { clock, maxMs, signal }: EffortLimit,
  work: Work,
): Promise<Result> {
  const late = new AbortController();
  const timer = clock.after(maxMs, () => late.abort(new Error("i/o timeout")));
  try {
    return await work({ maxMs, signal: AbortSignal.any([signal, late.signal]) });
  } finally {
    timer.cancel();
  }
}

/** What was promised, unless the signal fires before: then it rejects with the signal's reason. */
export function orStopped<T>(promised: Promise<T>, { signal }: Effort): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promised.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
