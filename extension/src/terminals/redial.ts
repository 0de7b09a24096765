import { retryDelayMs } from "../model/connectionState.ts";
import type { Clock, Timer } from "../support/clock.ts";

/** A link that has lasted so long was no failure: the next attempt is the first one. */
const LASTING_MS = 10_000;
/** Hope brings no attempt sooner behind the one before, however often a server gives it. */
const PAUSE_MS = 1_000;

/** What dialling again needs. */
export interface RedialDeps {
  readonly clock: Clock;
  /** 0 to 1, spreads attempts of many. */
  readonly random: () => number;
  readonly dial: () => void;
}

/**
 * When a viewer dials. One whose server lets it in and cuts the link again, time after time, does so less and less
 * often, like one that is not let in.
 */
export class Redial {
  readonly #deps: RedialDeps;
  #timer: Timer | undefined;
  /** When that is due. */
  #dueAtMs = 0;
  #attempt = 0;
  #dialledAtMs = 0;
  /** Undefined: the link that is, or was last, has led to no terminal. */
  #attachedAtMs: number | undefined;

  constructor(deps: RedialDeps) {
    this.#deps = deps;
  }

  /** Dials at once. */
  now(): void {
    const { clock, dial } = this.#deps;
    this.cancel();
    this.#dialledAtMs = clock.monotonic();
    this.#attachedAtMs = undefined;
    dial();
  }

  /** Dials at once, unless it has just done so. */
  soon(): void {
    const pauseMs = this.#dialledAtMs + PAUSE_MS - this.#deps.clock.monotonic();
    if (pauseMs <= 0) this.now();
    else if (this.#timer === undefined || this.#dueAtMs > this.#dialledAtMs + PAUSE_MS) {
      this.#after(pauseMs);
    }
  }

  /** Dials after a failure. */
  later(): void {
    const { clock, random } = this.#deps;
    const sinceMs = this.#attachedAtMs;
    if (sinceMs !== undefined && clock.monotonic() - sinceMs >= LASTING_MS) this.#attempt = 0;
    const delayMs = retryDelayMs(this.#attempt, random());
    this.#attempt += 1;
    this.#after(delayMs);
  }

  /** The link leads to the terminal. */
  attached(): void {
    this.#attachedAtMs = this.#deps.clock.monotonic();
  }

  /** Dials no more by itself. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #after(delayMs: number): void {
    this.cancel();
    this.#dueAtMs = this.#deps.clock.monotonic() + delayMs;
    this.#timer = this.#deps.clock.after(delayMs, () => this.now());
  }
}
