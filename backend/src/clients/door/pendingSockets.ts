import type { Clock } from "../../platform/clock.ts";

/** What decides how many there may be. */
export interface PendingSocketsDeps {
  /** In total. */
  readonly max: number;
  /** Of one network. */
  readonly perNetworkMax: number;
  /** Whether agents of ours are, or lately were, in this network. */
  readonly isKnown: (network: string) => boolean;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Why there is no place: too many of this network, or too many at all. */
export type NoPlace = "crowded" | "full";

/**
 * Where agents of ours are, many more are likely to be agents, too: a thousand that share an address
 * come at once when the server is back, and a busy server has them all waiting here.
 */
const KNOWN_FACTOR = 5;
/** Who keeps us waiting for less than this is on its way, not silent. */
const ON_THE_WAY_MS = 250;
/** Whoever has been through a key exchange has shown to speak our protocol, and gets longer. */
const AFTER_KEYS_MS = 5_000;

/** A socket that has not signed in, and its place among those. */
export class PendingSocket {
  readonly network: string;
  /** Ends the socket, because its place is needed. */
  onEvicted: () => void = () => {};
  readonly #pending: PendingSockets;
  #graceMs = ON_THE_WAY_MS;
  #waitingSinceMs: number;
  #isReleased = false;
  #ourTurns = 0;

  constructor(pending: PendingSockets, network: string, nowMs: number) {
    this.#pending = pending;
    this.network = network;
    this.#waitingSinceMs = nowMs;
  }

  /** There is something of it that we have not worked on yet: it waits for us. */
  get isWaiting(): boolean {
    return this.#ourTurns > 0;
  }

  /** It has sent something. */
  beginTurn(): void {
    this.#ourTurns += 1;
  }

  /** That has been worked on: now we wait for it. */
  endTurn(nowMs: number): void {
    this.#ourTurns -= 1;
    this.#waitingSinceMs = nowMs;
    if (!this.#isReleased) this.#pending.moveToEnd(this);
  }

  /** It has been through the key exchange. */
  passKeys(): void {
    this.#graceMs = AFTER_KEYS_MS;
  }

  /** Gives the place back; harmless when it was already. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#pending.remove(this);
  }

  /** How long it has kept us waiting. */
  silentMs(nowMs: number): number {
    return nowMs - this.#waitingSinceMs;
  }

  /** Whether it has kept us waiting for long enough to lose its place to somebody else. */
  isEvictable(nowMs: number): boolean {
    return !this.isWaiting && this.silentMs(nowMs) >= this.#graceMs;
  }
}

/**
 * The sockets that have not signed in. When their places are taken, the one that has been silent
 * for the longest time, of the most crowded network, loses its place to the one that comes: who
 * only holds sockets keeps nobody out.
 */
export class PendingSockets {
  readonly #deps: PendingSocketsDeps;
  /** Of each network, in the order of how long they have kept us waiting. */
  readonly #byNetwork = new Map<string, Set<PendingSocket>>();
  #count = 0;

  constructor(deps: PendingSocketsDeps) {
    this.#deps = deps;
  }

  /** How many have not signed in now. */
  get size(): number {
    return this.#count;
  }

  /** Whether there is a place for a socket of this network that nobody has to leave. */
  hasRoom(network: string): boolean {
    return this.#crowdAt(network) === undefined && this.#count < this.#deps.max;
  }

  /**
   * A place for a socket of this network. Where there is none, somebody who is silent leaves, so what
   * has arrived must have been read before (see `afterReading`).
   */
  take(network: string): PendingSocket | NoPlace {
    const { max, clock } = this.#deps;
    const crowd = this.#crowdAt(network);
    if (crowd !== undefined && !evict(this.#victimOf(crowd))) return "crowded";
    if (this.#count >= max && !evict(this.#victimOfAll())) return "full";
    const socket = new PendingSocket(this, network, clock.monotonic());
    this.#count += 1;
    const sockets = this.#byNetwork.get(network) ?? new Set();
    this.#byNetwork.set(network, sockets.add(socket));
    return socket;
  }

  /** Only for the sockets themselves. */
  moveToEnd(socket: PendingSocket): void {
    const sockets = this.#byNetwork.get(socket.network);
    if (sockets?.delete(socket)) sockets.add(socket);
  }

  /** Only for the sockets themselves. */
  remove(socket: PendingSocket): void {
    const sockets = this.#byNetwork.get(socket.network);
    if (!sockets?.delete(socket)) return;
    this.#count -= 1;
    if (sockets.size === 0) this.#byNetwork.delete(socket.network);
  }

  /** All of a network, if it has as many as it may have. */
  #crowdAt(network: string): ReadonlySet<PendingSocket> | undefined {
    const { perNetworkMax, isKnown } = this.#deps;
    const own = this.#byNetwork.get(network);
    const most = perNetworkMax * (isKnown(network) ? KNOWN_FACTOR : 1);
    return own !== undefined && own.size >= most ? own : undefined;
  }

  #victimOf(sockets: ReadonlySet<PendingSocket>): PendingSocket | undefined {
    const nowMs = this.#deps.clock.monotonic();
    for (const socket of sockets) {
      if (socket.isEvictable(nowMs)) return socket;
      // Those behind it have been silent for a shorter time still.
      if (!socket.isWaiting && socket.silentMs(nowMs) < ON_THE_WAY_MS) return undefined;
    }
    return undefined;
  }

  #victimOfAll(): PendingSocket | undefined {
    const crowds = [...this.#byNetwork.values()].sort((one, other) => other.size - one.size);
    for (const crowd of crowds) {
      const victim = this.#victimOf(crowd);
      if (victim !== undefined) return victim;
    }
    return undefined;
  }
}

function evict(victim: PendingSocket | undefined): boolean {
  victim?.release();
  victim?.onEvicted();
  return victim !== undefined;
}
