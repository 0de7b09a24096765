import type { Client } from "@rport/protocol/model";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";
import { RecentMap } from "../../platform/recentMap.ts";

/** A network where no client was for this long is like any other. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;
/** Networks remembered beside those with agents in them now; the oldest go first. */
const NETWORKS_MAX = 100_000;

/** The networks where agents of ours are, or were within the last 30 days. */
export class KnownNetworks {
  readonly #clock: Clock;
  readonly #agentsIn = new Map<string, number>();
  readonly #seenAtMs = new RecentMap<string, number>(NETWORKS_MAX);

  /** `clients`: those on record, whose last addresses count. */
  constructor(clock: Clock, clients: Iterable<Pick<Client, "address" | "disconnected_at">>) {
    this.#clock = clock;
    for (const { address, disconnected_at: at } of clients) {
      const agoMs = at === null ? 0 : Math.max(0, clock.now() - Date.parse(at));
      this.#see(networkOf(address), clock.monotonic() - agoMs);
    }
  }

  /** Whether agents of ours are there, or were there lately. */
  has(network: string): boolean {
    if (this.#agentsIn.has(network)) return true;
    const seenAtMs = this.#seenAtMs.get(network);
    return seenAtMs !== undefined && this.#clock.monotonic() - seenAtMs < REMEMBERED_MS;
  }

  /** An agent signed in. */
  enter(network: string): void {
    this.#agentsIn.set(network, (this.#agentsIn.get(network) ?? 0) + 1);
  }

  /** It has gone again; `wasClient`: it was taken as a client, so its network stays known. */
  leave(network: string, wasClient: boolean): void {
    const left = (this.#agentsIn.get(network) ?? 1) - 1;
    if (left > 0) this.#agentsIn.set(network, left);
    else this.#agentsIn.delete(network);
    if (wasClient) this.#see(network, this.#clock.monotonic());
  }

  #see(network: string, atMs: number): void {
    const before = this.#seenAtMs.get(network);
    if (before === undefined || before < atMs) this.#seenAtMs.set(network, atMs);
  }
}
