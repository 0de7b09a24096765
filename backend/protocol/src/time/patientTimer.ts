/** A pending call. */
export interface PatientTimer {
  /** The call does not happen any more; harmless when it already did. */
  cancel(): void;
}

/** Later than this by so many milliseconds, a process stood still or had too much to do. */
const LATE_MS = 250;
/** Within so many milliseconds it reads what arrived meanwhile. */
const READING_MS = 250;
/**
 * Node's timers hold 31 bits of milliseconds (24.8 days), and fire at once when they are given more.
 * Longer waits are taken in steps.
 */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls `run` once after `delayMs` milliseconds, however many; `isBinding`: and keeps the process alive
 * until then. When the process stood still meanwhile, as on a machine that was suspended, what has
 * arrived over the network is read first: otherwise everybody whose answer waits in a socket would
 * count as silent, and be cut.
 */
export function patientTimer(delayMs: number, isBinding: boolean, run: () => void): PatientTimer {
  const start = (ms: number, then: () => void): NodeJS.Timeout => {
    const timer = setTimeout(then, ms);
    return isBinding ? timer : timer.unref();
  };
  const arm = (leftMs: number): NodeJS.Timeout => {
    const stepMs = Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS);
    const dueMs = performance.now() + stepMs;
    return start(stepMs, () => {
      if (leftMs > stepMs) pending = arm(leftMs - stepMs);
      else if (performance.now() - dueMs < LATE_MS) run();
      else pending = start(READING_MS, run);
    });
  };
  let pending = arm(delayMs);
  return { cancel: () => clearTimeout(pending) };
}
