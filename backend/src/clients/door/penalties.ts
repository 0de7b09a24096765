import type { Clock } from "../../platform/clock.ts";
import { RecentMap } from "../../platform/recentMap.ts";

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
const MOST_POINTS = LIMIT + LONGEST_WAIT_S;
/**
 * A pair that failed within this time has paid for its network already: a host with an old secret
 * comes again every few minutes, for ever.
 */
const SAME_FAILURE_MS = 600_000;
/** Pairs and networks remembered; those that did nothing for the longest time go first. */
const ENTRIES_MAX = 100_000;
/** Longer auth ids exist nowhere; what is behind this is one. */
const AUTH_ID_MAX = 128;

interface Entry {
  readonly points: number;
  readonly atMs: number;
}

/**
 * Points for what went wrong at the agents' door, per network and per pair of network and auth id.
 * They decay, so there is no ban, and nobody can lock out an auth id from another network: only
 * somebody in the same network.
 */
export class Penalties {
  readonly #deps: PenaltiesDeps;
  readonly #entries = new RecentMap<string, Entry>(ENTRIES_MAX);

  constructor(deps: PenaltiesDeps) {
    this.#deps = deps;
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
    const before = this.#entries.get(key);
    const isFirst =
      before === undefined || this.#deps.clock.monotonic() - before.atMs >= SAME_FAILURE_MS;
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
    const sum = Math.min(this.#pointsOf(key) + points, MOST_POINTS);
    this.#entries.set(key, { points: sum, atMs: this.#deps.clock.monotonic() });
  }

  #pointsOf(key: string): number {
    const entry = this.#entries.get(key);
    if (entry === undefined) return 0;
    const seconds = (this.#deps.clock.monotonic() - entry.atMs) / 1_000;
    return Math.max(0, entry.points - seconds);
  }

  #waitS(key: string, network: string): number {
    const points = this.#pointsOf(key);
    if (points <= LIMIT) return 0;
    const limit = this.#deps.isKnown(network) ? LIMIT * KNOWN_FACTOR : LIMIT;
    return Math.max(0, points - limit);
  }
}

function keyOf(network: string, authId?: string): string {
  return authId === undefined ? network : `${network} ${authId.slice(0, AUTH_ID_MAX)}`;
}
