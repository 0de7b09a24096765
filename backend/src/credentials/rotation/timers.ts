import type { AuthId } from "@rport/protocol/ids";
import type { Clock, Timer } from "../../platform/clock.ts";

/** The timers of rotations: one for the end of each, and one for the next look at a large fleet. */
export class RotationTimers {
  readonly #clock: Clock;
  readonly #ends = new Map<AuthId, Timer>();
  readonly #looks = new Map<AuthId, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back after `ms`, in the place of every timer that the credential has. */
  end(id: AuthId, ms: number, due: () => void): void {
    this.cancel(id);
    this.#ends.set(id, this.#clock.after(ms, due));
  }

  /** Calls back after `ms`, once for all that asked until then. */
  look(id: AuthId, ms: number, due: () => void): void {
    if (this.#looks.has(id)) return;
    const timer = this.#clock.after(ms, () => {
      this.#looks.delete(id);
      due();
    });
    this.#looks.set(id, timer);
  }

  /** Forgets the timers of a credential. */
  cancel(id: AuthId): void {
    for (const timers of [this.#ends, this.#looks]) {
      timers.get(id)?.cancel();
      timers.delete(id);
    }
  }

  /** Forgets all timers. */
  stop(): void {
    for (const id of [...this.#ends.keys(), ...this.#looks.keys()]) this.cancel(id);
  }
}
