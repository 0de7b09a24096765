import { RportError } from "@rport/protocol/errors";
import type { PairingId } from "@rport/protocol/ids";
import type { Limits } from "../../limits/limits.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";

/** What of all places the questions of one network may take. */
const SHARE = 1 / 4;
/** Whoever finds no place may ask again after this. */
const RETRY_S = 5;

/** What the questions need. */
export interface QuestionsDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  readonly clock: Clock;
}

/** How long a question waits. */
export interface Waiting {
  /** Where the server asks from. */
  readonly address: string;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

interface Question {
  readonly network: string;
  readonly wake: () => void;
}

/** Servers that wait for news of their deposits; each is woken by its own only. */
export class Questions {
  readonly #deps: QuestionsDeps;
  readonly #open = new Set<Question>();
  readonly #byDeposit = new Map<PairingId, Set<Question>>();

  constructor(deps: QuestionsDeps) {
    this.#deps = deps;
    deps.limits.watch("pairing_questions", () => this.#open.size);
  }

  /**
   * Resolves when there is news of one of these deposits, or waiting is over. Rejects with
   * `TOO_MANY_REQUESTS` when too many wait already.
   */
  async wait(ids: readonly PairingId[], { address, withinMs, signal }: Waiting): Promise<void> {
    const network = networkOf(address);
    this.#requirePlace(network, address);
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const question = { network, wake };
    const timer = this.#deps.clock.after(withinMs, wake);
    signal.addEventListener("abort", wake);
    if (signal.aborted) wake();
    this.#open.add(question);
    for (const id of ids) this.#at(id).add(question);
    try {
      await promise;
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", wake);
      this.#open.delete(question);
      for (const id of ids) this.#leave(id, question);
    }
  }

  /** There is news of a deposit. */
  wake(id: PairingId): void {
    for (const { wake } of this.#byDeposit.get(id) ?? []) wake();
  }

  /** Nobody waits any more. */
  close(): void {
    for (const { wake } of this.#open) wake();
  }

  #at(id: PairingId): Set<Question> {
    const known = this.#byDeposit.get(id) ?? new Set<Question>();
    this.#byDeposit.set(id, known);
    return known;
  }

  #leave(id: PairingId, question: Question): void {
    const known = this.#byDeposit.get(id);
    known?.delete(question);
    if (known?.size === 0) this.#byDeposit.delete(id);
  }

  #requirePlace(network: string, address: string): void {
    const { limits } = this.#deps;
    const max = limits.max("pairing_questions");
    const own = [...this.#open].filter((one) => one.network === network).length;
    if (this.#open.size < max && own < Math.max(1, max * SHARE)) return;
    limits.bite("pairing_questions", { address });
    const title = "Too many questions wait for news here; ask again later.";
    throw new RportError("TOO_MANY_REQUESTS", title, { retryAfterS: RETRY_S });
  }
}
