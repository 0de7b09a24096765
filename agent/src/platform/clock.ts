import { patientTimer } from "@rport/protocol/time/patientTimer";

/** A pending call. */
export interface Timer {
  /** The call does not happen any more; harmless when it already did. */
  cancel(): void;
}

/** The agent's only door to time; tests give one that they move by hand. */
export interface Clock {
  /** Milliseconds since 1970. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since any fixed moment, never going back. */
  monotonic(): number;
  /** Runs `action` once after `delayMs`. Keeps the process alive until then. */
  after(delayMs: number, action: () => void): Timer;
}

/** The machine's own clock. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, action) => patientTimer(delayMs, true, action),
};

/** Resolves after `delayMs`, or at once when the signal fires. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const end = () => {
      timer.cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.after(delayMs, end);
    signal?.addEventListener("abort", end, { once: true });
  });
}
