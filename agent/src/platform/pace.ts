/** How often something may happen. */
export interface PaceRule {
  /** So many at once. */
  readonly atOnce: number;
  /** Then one in this time. */
  readonly everyMs: number;
}

/** Lets something happen some times at once, and then steadily; what comes sooner is counted. */
export class Pace {
  readonly #rule: PaceRule;
  readonly #nowMs: () => number;
  /** When all turns will be there again. */
  #fullMs = Number.NEGATIVE_INFINITY;
  #refused = 0;

  /** `nowMs` never goes back. */
  constructor(rule: PaceRule, nowMs: () => number) {
    this.#rule = rule;
    this.#nowMs = nowMs;
  }

  /** How many came too soon since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes a turn; false: there is none yet. */
  take(): boolean {
    const { atOnce, everyMs } = this.#rule;
    const nowMs = this.#nowMs();
    const fullMs = Math.max(this.#fullMs, nowMs) + everyMs;
    if (fullMs - nowMs > atOnce * everyMs) {
      this.#refused += 1;
      return false;
    }
    this.#fullMs = fullMs;
    return true;
  }
}
