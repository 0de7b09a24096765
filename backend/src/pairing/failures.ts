import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";

/** Failures an address may cause at once, and per minute. */
const BURST = 10;
const REFILL_MS = 60_000 / BURST;
/** Addresses remembered; the one that failed longest ago is forgotten first. */
const REMEMBERED = 10_000;

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/**
 * Counts failures per network address (a whole /64 for IPv6, since one host has all of it).
 * Successes cost nothing, so nobody can lock out an installation at another address.
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the address has used up its failures for now. */
  isExhausted(address: string): boolean {
    return this.#left(networkOf(address)) < 1;
  }

  /** Counts one failure. */
  count(address: string): void {
    const network = networkOf(address);
    const left = Math.max(0, this.#left(network) - 1);
    this.#buckets.delete(network);
    this.#buckets.set(network, { left, atMs: this.#clock.monotonic() });
    if (this.#buckets.size <= REMEMBERED) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }

  #left(network: string): number {
    const bucket = this.#buckets.get(network);
    if (bucket === undefined) return BURST;
    const earned = (this.#clock.monotonic() - bucket.atMs) / REFILL_MS;
    return Math.min(BURST, bucket.left + earned);
  }
}
