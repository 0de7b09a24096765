import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the loop is looked at; a delay is what comes on top of this. */
const RESOLUTION_MS = 20;
const NS_PER_S = 1e9;
const RESOLUTION_S = RESOLUTION_MS / 1_000;

/** How late the event loop was with what was due, in seconds. */
export interface Delays {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** How late the event loop is: what everybody waits for, whatever it is they ask. */
export class LoopDelay implements Disposable {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  /** Since this was asked last. */
  take(): Delays {
    const delays = {
      median: this.#seconds(this.#histogram.percentile(50)),
      p99: this.#seconds(this.#histogram.percentile(99)),
      max: this.#seconds(this.#histogram.max),
    };
    this.#histogram.reset();
    return delays;
  }

  /** It looks no more. */
  [Symbol.dispose](): void {
    this.#histogram.disable();
  }

  #seconds(ns: number): number {
    if (this.#histogram.count === 0) return 0;
    return Math.max(0, ns / NS_PER_S - RESOLUTION_S);
  }
}
