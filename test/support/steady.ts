import { setTimeout as pause } from "node:timers/promises";

/** So many looks in a row have to be the same. */
const LOOKS = 5;

/**
 * Waits until a number has not changed for five looks in a row, and answers it: what still moves does so within `stepMs`,
 * the time between two looks, also on a busy machine. Throws after the deadline.
 */
export async function steady(
  look: () => number,
  stepMs: number,
  deadlineMs = 20_000,
): Promise<number> {
  const end = performance.now() + deadlineMs;
  let last = look();
  for (let same = 1; same < LOOKS; ) {
    if (performance.now() > end) throw new Error(`it still changes: ${last}`);
    await pause(stepMs);
    const now = look();
    same = now === last ? same + 1 : 1;
    last = now;
  }
  return last;
}
