import { setTimeout as pause } from "node:timers/promises";

/** Between two looks, in milliseconds. */
const STEP_MS = 5;

/** Waits until `check` no longer throws; after the deadline, throws what it threw last. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 5_000): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (caught) {
      if (performance.now() > end) throw caught;
    }
    await pause(STEP_MS);
  }
}
