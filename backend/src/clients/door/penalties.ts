import { beginningOf } from "@rport/protocol/ownText";
import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";

/** What the penalties need. */
export interface PenaltiesDeps {
  readonly clock: Pick<Clock, "monotonic">;
  /** Whether agents of ours are, or lately were, in this network. */
  readonly isKnown: (network: string) => boolean;
}

/** Points that somebody gets for one deed. One goes away each second. */
const WRONG_SECRET = 5;
const SILENCE = 1;
const GARBAGE = 10;
/** Above this many, nobody is let try. */
const LIMIT = 15;
/** Where our own agents are, the neighbour of a bad one must not suffer from it. */
const KNOWN_FACTOR = 10;
/** Nobody waits longer than this, whatever happened. */
const LONGEST_WAIT_S = 600;
const MOST_POINTS = { burst: LIMIT + LONGEST_WAIT_S, perSecond: 1 };
const TOLERATED = { burst: LIMIT, perSecond: 1 };
const TOLERATED_WHERE_KNOWN = { burst: LIMIT * KNOWN_FACTOR, perSecond: 1 };
/**
 * A pair that failed within this time has paid for its network already: a host with an old secret
 * comes again every few minutes, for ever.
 */
const SAME_FAILURE_MS = 600_000;
/** Pairs and networks remembered; those that did nothing for the longest time go first. */
const ENTRIES_MAX = 100_000;
/** Longer auth ids exist nowhere; what is behind this is one. */
const AUTH_ID_MAX = 128;

/**
 * Points for what went wrong at the agents' door, per network and per pair of network and auth id.
 * They decay, so there is no ban, and nobody can lock out an auth id from another network: only
 * somebody in the same network.
 */
export class Penalties {
  readonly #deps: PenaltiesDeps;
  readonly #points: Budget<string>;

  constructor(deps: PenaltiesDeps) {
    this.#deps = deps;
    this.#points = new Budget({ clock: deps.clock, keysMax: ENTRIES_MAX });
  }

  /** Whether agents of ours are, or lately were, in this network. */
  isKnown(network: string): boolean {
    return this.#deps.isKnown(network);
  }

  /** Seconds until this network may try again; 0: now. */
  networkWaitS(network: string): number {
    return this.#waitS(keyOf(network), network);
  }

  /** Seconds until this auth id may be tried from this network again; 0: now. */
  pairWaitS(network: string, authId: string): number {
    return this.#waitS(keyOf(network, authId), network);
  }

  /** A secret that is nobody's, or not this auth id's. */
  wrongSecret(network: string, authId: string): void {
    const key = keyOf(network, authId);
    const isFirst = this.#points.idleMs(key) >= SAME_FAILURE_MS;
    this.#add(key, WRONG_SECRET);
    if (isFirst) this.#add(keyOf(network), WRONG_SECRET);
  }

  /** A socket that did nothing until its time was up. */
  silence(network: string): void {
    this.#add(keyOf(network), SILENCE);
  }

  /** Bytes that are none of our protocol's. */
  garbage(network: string): void {
    this.#add(keyOf(network), GARBAGE);
  }

  #add(key: string, points: number): void {
    this.#points.charge(key, points, MOST_POINTS);
  }

  #waitS(key: string, network: string): number {
    const waitS = this.#points.waitMs(key, 0, TOLERATED) / 1_000;
    if (waitS === 0 || !this.#deps.isKnown(network)) return waitS;
    return this.#points.waitMs(key, 0, TOLERATED_WHERE_KNOWN) / 1_000;
  }
}

function keyOf(network: string, authId?: string): string {
  return authId === undefined ? network : `${network} ${beginningOf(authId, AUTH_ID_MAX)}`;
}
