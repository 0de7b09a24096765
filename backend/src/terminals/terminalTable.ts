import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { TerminalId } from "@rport/protocol/terminal/terminal";
import { Holdings } from "../limits/holdings.ts";
import type { Limits } from "../limits/limits.ts";
import type { LimitName } from "../limits/limitTable.ts";
import { SharedPlaces } from "../limits/sharedPlaces.ts";
import type { Sharer } from "../limits/sharer.ts";

/** Whoever looks at a terminal. */
export interface Viewer {
  /** Ends what carries it, with a close code and a sentence; its terminal stays. */
  leave(code: number, reason: string): void;
}

/** A terminal that a host has, as far as this server knows. */
export interface OpenTerminal {
  readonly id: TerminalId;
  readonly clientId: ClientId;
  /** `Sharer.accountId` of whoever opened it. */
  readonly owner: string;
  /** Their name at that time. */
  readonly ownerName: string;
  /** From where; undefined: before this server started. */
  readonly address: string | undefined;
  /** Of the host, as its agent says. */
  account: string;
  readonly startedAtMs: number;
  /** Undefined: nobody is attached. */
  viewer: Viewer | undefined;
  /** Those who are about to look at it, in the place of whoever does. */
  readonly takers: Set<Viewer>;
  /** How it is to end; told to its host, or as soon as that is back. */
  ending: "closed" | "forbidden" | undefined;
}

/** What bounds the table. */
export interface TerminalTableDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "isShared" | "watch">;
}

/**
 * Every terminal that hosts have, in memory: after a restart hosts say which those are. One that
 * nobody is attached to has its place, too.
 */
export class TerminalTable {
  readonly #limits: TerminalTableDeps["limits"];
  readonly #byId = new Map<TerminalId, OpenTerminal>();
  readonly #byClient = new Map<ClientId, Set<OpenTerminal>>();
  readonly #places: SharedPlaces<OpenTerminal>;
  readonly #ofClients = new Map<ClientId, SharedPlaces<OpenTerminal>>();
  readonly #owners = new Holdings<OpenTerminal>();

  constructor({ limits }: TerminalTableDeps) {
    this.#limits = limits;
    this.#places = new SharedPlaces({ limits, limit: "terminals" });
    limits.watch("terminals", () => this.size);
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  get(id: TerminalId): OpenTerminal | undefined {
    return this.#byId.get(id);
  }

  all(): readonly OpenTerminal[] {
    return [...this.#byId.values()];
  }

  of(clientId: ClientId): readonly OpenTerminal[] {
    return [...(this.#byClient.get(clientId) ?? [])];
  }

  /**
   * Throws `CONFLICT` or `UNAVAILABLE` where the user, or anybody, may have no more of them; counted and
   * logged.
   */
  requireRoom(clientId: ClientId, user: Sharer): void {
    const own = this.#owners.of(user.accountId);
    if (own >= this.#limits.max("terminals_per_user")) {
      this.#refuse("terminals_per_user", { user: user.name, client: clientId });
    }
    if (this.of(clientId).length >= this.#limits.max("terminals_per_client")) {
      this.#refuse("terminals_per_client", { user: user.name, client: clientId });
    }
    if (this.size >= this.#limits.max("terminals")) {
      this.#refuse("terminals", { user: user.name });
    }
    this.#places.requireShare(user);
    this.#placesOf(clientId).requireShare(user);
  }

  /** Has a place from now on. */
  add(terminal: OpenTerminal): void {
    const { id, clientId, owner, ownerName: name } = terminal;
    const user = { accountId: owner, name };
    this.#byId.set(id, terminal);
    const ofClient = this.#byClient.get(clientId) ?? new Set();
    this.#byClient.set(clientId, ofClient.add(terminal));
    this.#owners.take(terminal, owner);
    this.#places.take(terminal, user);
    this.#placesOf(clientId).take(terminal, user);
  }

  /** Has none any more. */
  remove(terminal: OpenTerminal): void {
    const { id, clientId } = terminal;
    if (this.#byId.get(id) !== terminal) return;
    this.#byId.delete(id);
    this.#owners.leave(terminal);
    this.#places.leave(terminal);
    this.#ofClients.get(clientId)?.leave(terminal);
    const ofClient = this.#byClient.get(clientId);
    ofClient?.delete(terminal);
    if (ofClient?.size !== 0) return;
    this.#byClient.delete(clientId);
    this.#ofClients.delete(clientId);
  }

  #placesOf(clientId: ClientId): SharedPlaces<OpenTerminal> {
    const limits = this.#limits;
    const known = this.#ofClients.get(clientId);
    if (known !== undefined) return known;
    const names = () => ({ client: clientId });
    const places = new SharedPlaces<OpenTerminal>({ limits, limit: "terminals_per_client", names });
    // Those of nobody are not kept: a refused one would stay for ever.
    if (this.#byClient.has(clientId)) this.#ofClients.set(clientId, places);
    return places;
  }

  #refuse(limit: keyof typeof FULL, fields: { user: string; client?: ClientId }): never {
    this.#limits.bite(limit, fields);
    const max = this.#limits.max(limit satisfies LimitName);
    const { code, title } = FULL[limit];
    throw new RportError(code, title.replace("%", String(max)));
  }
}

/** Each is short enough for the reason of a close frame. */
const FULL = {
  terminals_per_user: {
    code: "CONFLICT",
    title: "You have % terminals already (terminals_per_user): close one first.",
  },
  terminals_per_client: {
    code: "CONFLICT",
    title: "This client has % terminals already (terminals_per_client): close one first.",
  },
  terminals: {
    code: "UNAVAILABLE",
    title: "This server carries % terminals already (terminals); try again later.",
  },
} as const;
