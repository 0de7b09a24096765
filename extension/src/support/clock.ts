/** A timer that has not fired yet. */
export interface Timer {
  /** Harmless when it has fired already. */
  cancel(): void;
}

/** The only way to know or wait for time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs something once, after at least `ms` milliseconds. */
  after(ms: number, run: () => void): Timer;
}

/** Resolves after at least `ms` milliseconds. */
export function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
