import { timingSafeEqual } from "node:crypto";
import { SERVICE_STEPS_MAX, type ServiceStep } from "@rport/protocol/pairing/service";

/** A step without its number. */
export type NewServiceStep = ServiceStep extends infer S
  ? S extends ServiceStep
    ? Omit<S, "n">
    : never
  : never;

/** What has happened with one deposit, for the server that made it. */
export class Journal {
  /** Who deposited it. */
  readonly depositor: string;
  readonly #watchKey: Buffer;
  #steps: readonly ServiceStep[] = [];
  #count = 0;

  constructor(depositor: string, watchKey: Buffer) {
    this.depositor = depositor;
    this.#watchKey = watchKey;
  }

  /** Whether a key is the one that it was deposited with. */
  isWatchedBy(key: Buffer): boolean {
    return key.length === this.#watchKey.length && timingSafeEqual(key, this.#watchKey);
  }

  /** Adds a step; when there are too many, the oldest go. */
  add(step: NewServiceStep): void {
    this.#count += 1;
    this.#steps = [...this.#steps, { ...step, n: this.#count }].slice(-SERVICE_STEPS_MAX);
  }

  /** The steps beyond a number. */
  after(n: number): ServiceStep[] {
    return this.#steps.filter((step) => step.n > n);
  }
}
