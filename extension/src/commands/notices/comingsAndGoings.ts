import type { Client } from "@rport/protocol/model";
import { type Status, statusOf } from "../../model/arrange.ts";
import type { Clock } from "../../support/clock.ts";

/** How long a client has to stay away, or back, before that is news: agents connect again by themselves. */
export const SETTLED_MS = 10_000;
/** When the server itself went, everybody comes back bit by bit. */
const AFTER_SERVER_MS = 60_000;

/** Clients of one server that are another status than was known, for long enough. */
export interface News {
  readonly gone: readonly Client[];
  readonly back: readonly Client[];
}

/**
 * What is known of the clients of one server, and what has changed since but is not news yet, whatever
 * the computer's clock is set to meanwhile.
 */
export class ComingsAndGoings {
  readonly #known = new Map<string, Status>();
  /** When a client became another status than is known, by a clock that nobody sets. */
  readonly #since = new Map<string, number>();
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Whether anything may become news without another change. */
  get isPending(): boolean {
    return this.#since.size > 0;
  }

  /** Takes over all clients there are. One that was not known before is as it is, which is no news. */
  reset(clients: ReadonlyMap<string, Client>): void {
    for (const id of this.#known.keys()) if (!clients.has(id)) this.#forget(id);
    for (const client of clients.values()) this.#see(client);
  }

  /** Takes over how a client is now; undefined: it is not there any more. */
  change(id: string, client: Client | undefined): void {
    if (client === undefined) this.#forget(id);
    else this.#see(client);
  }

  /** What has become news, which is known from now on; `clientOf` answers how a client is now. */
  news(clientOf: (id: string) => Client | undefined): News {
    const nowMs = this.#clock.monotonic();
    const clients = [...this.#since].flatMap(([id, sinceMs]) => {
      const client = clientOf(id);
      return client !== undefined && nowMs - sinceMs >= settledMs(client) ? [client] : [];
    });
    for (const client of clients) this.#know(client);
    const are = (status: Status) => clients.filter((client) => statusOf(client) === status);
    return { gone: are("offline"), back: are("online") };
  }

  #see(client: Client): void {
    const known = this.#known.get(client.id);
    if (known === undefined) this.#know(client);
    else if (known === statusOf(client)) this.#since.delete(client.id);
    else if (!this.#since.has(client.id)) this.#since.set(client.id, this.#clock.monotonic());
  }

  #know(client: Client): void {
    this.#known.set(client.id, statusOf(client));
    this.#since.delete(client.id);
  }

  #forget(id: string): void {
    this.#known.delete(id);
    this.#since.delete(id);
  }
}

function settledMs({ connection_end: end }: Client): number {
  return end?.kind === "server" ? AFTER_SERVER_MS : SETTLED_MS;
}
