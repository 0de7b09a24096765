import type { Clock, Timer } from "../../platform/clock.ts";
import type { AccountLedger } from "./accountLedger.ts";

/** A clock that is set while nobody uses anything is noticed after this long. */
const LONGEST_MS = 3_600_000;

/** What the watch needs. */
export interface ExpiryWatchDeps {
  readonly ledger: AccountLedger;
  readonly clock: Clock;
  /** Something of this user's has ended. */
  readonly onEnd: (user: string) => void;
}

/** Ends what is open with a token or a session when its time is over. */
export class ExpiryWatch {
  readonly #deps: ExpiryWatchDeps;
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(deps: ExpiryWatchDeps) {
    this.#deps = deps;
  }

  /** Something that was shown ends at this time; null: never. */
  watch(endsAt: string | null): void {
    if (endsAt !== null) this.#lookAt(Date.parse(endsAt));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookAt(endMs: number): void {
    if (endMs >= this.#dueMs) return;
    const { clock } = this.#deps;
    this.#timer?.cancel();
    this.#dueMs = endMs;
    const waitMs = Math.min(Math.max(endMs - clock.now(), 0), LONGEST_MS);
    this.#timer = clock.after(waitMs, () => this.#look());
  }

  #look(): void {
    const { ledger, clock, onEnd } = this.#deps;
    this.#dueMs = Number.POSITIVE_INFINITY;
    for (const entry of ledger.actors.expire(clock.now())) onEnd(entry.record.username);
    const next = ledger.actors.nextEndMs();
    if (next !== undefined) this.#lookAt(next);
  }
}
