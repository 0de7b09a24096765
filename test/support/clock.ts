import type { Clock, Timer } from "../../backend/src/platform/clock.ts";

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. Timers run inside `advance`, in order. */
export class FakeClock implements Clock {
  #wallMs: number;
  #steadyMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs: number = Date.UTC(2030, 0, 1)) {
    this.#wallMs = startMs;
  }

  now(): number {
    return this.#wallMs;
  }

  monotonic(): number {
    return this.#steadyMs;
  }

  after(ms: number, run: () => void): Timer {
    this.#order += 1;
    const timer = { dueMs: this.#steadyMs + Math.max(ms, 0), order: this.#order, run };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  /** Lets `ms` pass; runs what falls due, also timers that those set. */
  advance(ms: number): void {
    const endMs = this.#steadyMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#pending.delete(next);
      this.#moveTo(Math.max(next.dueMs, this.#steadyMs));
      next.run();
    }
    this.#moveTo(endMs);
  }

  /** Sets the machine's clock forward or back; no timer notices. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#pending.size;
  }

  #moveTo(steadyMs: number): void {
    this.#wallMs += steadyMs - this.#steadyMs;
    this.#steadyMs = steadyMs;
  }

  #next(endMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs > endMs) continue;
      const sooner = next === undefined || timer.dueMs < next.dueMs;
      if (sooner || (timer.dueMs === next?.dueMs && timer.order < next.order)) next = timer;
    }
    return next;
  }
}
