import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";

/** A network may be wrong this often per window; a person who mistypes needs a few. */
const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
/** Networks remembered; the oldest go first, so a flood of addresses cannot fill the memory. */
const NETWORKS_MAX = 10_000;

interface Window {
  readonly endsMs: number;
  failures: number;
}

/** Counts wrong tokens per network: an IPv4 address, or the /64 of an IPv6 address. */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Notes a wrong token. Returns after how many seconds the network may try again; 0: at once.
   * Who shows a valid token is never asked here, so nobody can lock out anybody else.
   */
  note(address: string): number {
    const network = networkOf(address);
    const nowMs = this.#clock.monotonic();
    const current = this.#windows.get(network);
    if (current === undefined || current.endsMs <= nowMs) {
      this.#windows.delete(network);
      this.#windows.set(network, { endsMs: nowMs + WINDOW_MS, failures: 1 });
      this.#forgetOldest();
      return 0;
    }
    current.failures += 1;
    if (current.failures <= FAILURES_MAX) return 0;
    return Math.ceil((current.endsMs - nowMs) / 1_000);
  }

  #forgetOldest(): void {
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > NETWORKS_MAX && oldest !== undefined) this.#windows.delete(oldest);
  }
}
