import type { WireClock, WireTimer } from "../clock.ts";

/** Exchanges a peer may start one after the other before they must be paid for. */
const FREE_EXCHANGES = 30;
/**
 * Each further one is paid for by so many bytes of messages, or by a minute: an exchange costs 1-2 ms, which
 * thousands of sessions of one secret could ask for each second. SSH's own rule is an hour, or a gigabyte.
 */
const BYTES_PER_EXCHANGE = 1 << 20;
const MS_PER_EXCHANGE = 60_000;

/** What the watch needs, and whom it tells. */
export interface ExchangesDeps {
  readonly clock: WireClock;
  /** Longest time one exchange may take. */
  readonly exchangeMs: number;
  /** Bytes, both directions together, after which we ask for new keys. */
  readonly rekeyBytes: number;
  /** An exchange did not end in time. */
  readonly onOverdue: () => void;
}

/**
 * Watches key exchanges after the first: when new keys are due, that each one ends, and that a
 * peer does not keep us busy with them.
 */
export class Exchanges {
  /** Exchanges completed after the first. */
  count = 0;
  readonly #deps: ExchangesDeps;
  #flowBytes = 0;
  #carriedBytes = 0;
  #isOurs = false;
  #timer: WireTimer | undefined;
  #allowance = FREE_EXCHANGES;
  #paidUntil: number;

  constructor(deps: ExchangesDeps) {
    this.#deps = deps;
    this.#paidUntil = deps.clock.monotonic();
  }

  /** Counts what goes under the keys, in either direction: new ones are due after so much. */
  flow(bytes: number): void {
    this.#flowBytes += bytes;
  }

  /** Counts what it is for: messages of the connection. They pay; the bytes of an exchange pay for nothing. */
  carried(bytes: number): void {
    this.#carriedBytes += bytes;
  }

  get isDue(): boolean {
    return this.#flowBytes > this.#deps.rekeyBytes;
  }

  /** We asked for new keys. */
  startOurs(): void {
    this.#isOurs = true;
  }

  /** Called after anything that may have started or ended an exchange; keeps its timer. */
  observe(isExchanging: boolean): void {
    if (!isExchanging) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    const { clock, exchangeMs, onOverdue } = this.#deps;
    this.#timer ??= clock.after(exchangeMs, onOverdue);
  }

  /** An exchange has ended; false when the peer has started too many. */
  end(): boolean {
    this.count += 1;
    const isAffordable = this.#isOurs || this.#pay();
    this.#isOurs = false;
    this.#flowBytes = 0;
    this.#carriedBytes = 0;
    return isAffordable;
  }

  #pay(): boolean {
    const now = this.#deps.clock.monotonic();
    const byTime = (now - this.#paidUntil) / MS_PER_EXCHANGE;
    const earned = this.#carriedBytes / BYTES_PER_EXCHANGE + byTime;
    this.#paidUntil = now;
    this.#allowance = Math.min(FREE_EXCHANGES, this.#allowance + earned) - 1;
    return this.#allowance >= 0;
  }
}
