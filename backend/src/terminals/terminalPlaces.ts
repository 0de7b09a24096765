import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import { Holdings } from "../limits/holdings.ts";
import type { Limits } from "../limits/limits.ts";
import type { LimitName } from "../limits/limitTable.ts";
import { type Asked, type Bound, SharedPlaces } from "../limits/sharedPlaces.ts";
import type { Sharer } from "../limits/sharer.ts";

/** What a place is counted by. */
export interface PlacedTerminal {
  readonly clientId: ClientId;
  /** `Sharer.accountId`. */
  readonly owner: string;
  readonly ownerName: string;
}

/** What bounds the places. */
export interface TerminalPlacesDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "isShared" | "watch">;
}

/**
 * The places that terminals have in the limits of all, of their clients and of their owners. What a host
 * says that it has counts for all and for that client; for its owner it counts once they came back, so no
 * host takes away what somebody may have on others.
 */
export class TerminalPlaces<T extends PlacedTerminal> {
  readonly #limits: TerminalPlacesDeps["limits"];
  readonly #taken = new Set<T>();
  readonly #places: SharedPlaces<T>;
  readonly #ofClients = new Map<ClientId, SharedPlaces<T>>();
  readonly #owners = new Holdings<T>();

  constructor({ limits }: TerminalPlacesDeps) {
    this.#limits = limits;
    this.#places = new SharedPlaces({ limits, limit: "terminals" });
    limits.watch("terminals", () => this.#taken.size);
  }

  /** Those that have one. */
  get taken(): ReadonlySet<T> {
    return this.#taken;
  }

  /**
   * Throws `CONFLICT` or `UNAVAILABLE` where the user, or anybody, may have no more of them; counted and
   * logged. A new one needs room in what its host says that it has at most, too: a share of what the
   * server would allow might be all of that, and nobody else found a place.
   */
  requireRoom(clientId: ClientId, user: Sharer, hostMax?: number): void {
    const own = this.#owners.of(user.accountId);
    if (own >= this.#limits.max("terminals_per_user")) {
      this.#refuse("terminals_per_user", { user: user.name, client: clientId });
    }
    const bound = hostMax === undefined ? undefined : { max: hostMax, name: HOST_MAX };
    this.#requireShared(clientId, user, { bound });
  }

  /** It has one from now on, as one of its owner's. */
  take(terminal: T): void {
    this.#takeShared(terminal);
    this.#owners.take(terminal, terminal.owner);
  }

  /** The same for one that only its host speaks of. Throws as above, but for what its owner has. */
  takeTold(terminal: T): void {
    this.#requireShared(terminal.clientId, sharerOf(terminal), { isReturning: true });
    this.#takeShared(terminal);
  }

  /** Its owner comes back to it, also after its end, and what it has not yet of places it takes. Throws as above. */
  claim(terminal: T): void {
    const { clientId, owner } = terminal;
    const user = sharerOf(terminal);
    if (!this.#taken.has(terminal)) this.requireRoom(clientId, user);
    else if (!this.#owners.hasRoom(terminal, owner, this.#limits.max("terminals_per_user"))) {
      this.#refuse("terminals_per_user", { user: user.name, client: clientId });
    }
    this.take(terminal);
  }

  /** It has none any more; harmless when it had none. */
  leave(terminal: T): void {
    const { clientId } = terminal;
    if (!this.#taken.delete(terminal)) return;
    this.#owners.leave(terminal);
    this.#places.leave(terminal);
    const ofClient = this.#ofClients.get(clientId);
    ofClient?.leave(terminal);
    if (ofClient?.taken === 0) this.#ofClients.delete(clientId);
  }

  #requireShared(clientId: ClientId, user: Sharer, asked: Asked): void {
    const ofClient = this.#placesOf(clientId);
    const bound = ofClient.bounded(asked.bound);
    if (ofClient.taken >= bound.max) {
      this.#refuse("terminals_per_client", { user: user.name, client: clientId }, bound);
    }
    if (this.#taken.size >= this.#places.max) this.#refuse("terminals", { user: user.name });
    const { isReturning } = asked;
    this.#places.requireShare(user, { isReturning });
    ofClient.requireShare(user, asked);
  }

  #takeShared(terminal: T): void {
    const user = sharerOf(terminal);
    const ofClient = this.#placesOf(terminal.clientId);
    // Those of nobody are not kept: a refused one would stay for ever.
    this.#ofClients.set(terminal.clientId, ofClient);
    this.#taken.add(terminal);
    this.#places.take(terminal, user);
    ofClient.take(terminal, user);
  }

  #placesOf(clientId: ClientId): SharedPlaces<T> {
    const limits = this.#limits;
    const names = () => ({ client: clientId });
    return (
      this.#ofClients.get(clientId) ??
      new SharedPlaces<T>({ limits, limit: "terminals_per_client", names })
    );
  }

  #refuse(
    limit: keyof typeof FULL & LimitName,
    fields: { user: string; client?: ClientId },
    { max, name }: Bound = { max: this.#limits.max(limit), name: limit },
  ): never {
    this.#limits.bite(limit, { ...fields, of: max });
    const { code, title } = FULL[limit];
    throw new RportError(code, title(max, name));
  }
}

/** The bound of a host, as people know it. */
const HOST_MAX = "its [terminal] max";

function sharerOf({ owner, ownerName }: PlacedTerminal): Sharer {
  return { accountId: owner, name: ownerName };
}

/** Each is short enough for the reason of a close frame. */
const FULL = {
  terminals_per_user: {
    code: "CONFLICT",
    title: (max: number, name: string) =>
      `You have ${max} terminals already (${name}): close one first.`,
  },
  terminals_per_client: {
    code: "CONFLICT",
    title: (max: number, name: string) =>
      `This client has ${max} terminals already (${name}): close one first.`,
  },
  terminals: {
    code: "UNAVAILABLE",
    title: (max: number, name: string) =>
      `This server carries ${max} terminals already (${name}); try again later.`,
  },
} as const;
