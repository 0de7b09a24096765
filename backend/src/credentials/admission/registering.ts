import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { Clock } from "../../platform/clock.ts";

/** A client that was let in is counted this long, until its record is there to be counted. */
const REGISTERING_MS = 60_000;

/**
 * Clients that were let in and have no record yet, per credential. Each step takes the same time
 * however many there are: the oldest stand first, so only those that are overdue are looked at.
 */
export class Registering {
  readonly #clock: Clock;
  readonly #clients = new Map<AuthId, Map<ClientId, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The client is on its way to its record. */
  enter(id: AuthId, client: ClientId): void {
    const clients = this.#clients.get(id) ?? new Map<ClientId, number>();
    clients.delete(client);
    this.#clients.set(id, clients.set(client, this.#clock.monotonic()));
  }

  /** The client has its record, or will never have one. */
  leave(id: AuthId, client: ClientId): void {
    const clients = this.#clients.get(id);
    clients?.delete(client);
    if (clients?.size === 0) this.#clients.delete(id);
  }

  /** Whether the client is on its way. */
  has(id: AuthId, client: ClientId): boolean {
    return this.#current(id)?.has(client) ?? false;
  }

  /** How many are on their way. */
  count(id: AuthId): number {
    return this.#current(id)?.size ?? 0;
  }

  #current(id: AuthId): Map<ClientId, number> | undefined {
    const clients = this.#clients.get(id);
    const sinceMs = this.#clock.monotonic() - REGISTERING_MS;
    for (const [client, atMs] of clients ?? []) {
      if (atMs > sinceMs) break;
      clients?.delete(client);
    }
    return clients;
  }
}
