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
 * Calls `run` once after `delayMs` milliseconds, at most 2^31 - 1; `isBinding`: and keeps the
 * process alive until then. When the process stood still meanwhile, as on a machine that was
 * suspended, what has arrived over the network is read first: otherwise everybody whose answer
 * waits in a socket would count as silent, and be cut.
 */
export function patientTimer(delayMs: number, isBinding: boolean, run: () => void): PatientTimer {
  const dueMs = performance.now() + delayMs;
  const start = (ms: number, then: () => void): NodeJS.Timeout => {
    const timer = setTimeout(then, ms);
    return isBinding ? timer : timer.unref();
  };
  let pending = start(delayMs, () => {
    if (performance.now() - dueMs < LATE_MS) run();
    else pending = start(READING_MS, run);
  });
  return { cancel: () => clearTimeout(pending) };
}
