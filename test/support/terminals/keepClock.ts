import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { type Clock, systemClock, type Timer } from "../../../backend/src/platform/clock.ts";

/** The machine's clock, but what is due after terminals are kept no longer is due when a test says so. */
export class KeepClock implements Clock {
  readonly #late = new Set<() => void>();

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(ms: number, run: () => void): Timer {
    if (ms !== TERMINAL.keepMs + 60_000) return systemClock.after(ms, run);
    this.#late.add(run);
    return { cancel: () => this.#late.delete(run) };
  }

  /** Terminals are kept no longer. */
  passKept(): void {
    const late = [...this.#late];
    this.#late.clear();
    for (const run of late) run();
  }
}
