import type { Duplex } from "node:stream";

/** A connection that nobody has vouched for, and when it gave its last sign of life. */
export interface Stranger {
  readonly socket: Duplex;
  /** Where it comes from; empty where many callers may stand behind that. */
  readonly network: string;
  /** It has asked for nothing yet. */
  readonly isSilent: boolean;
  readonly sinceMs: number;
}

/** Those that nobody has vouched for, in the order of their last signs of life. */
export class Strangers {
  readonly #bySocket = new Map<Duplex, Stranger>();
  readonly #byNetwork = new Map<string, Set<Duplex>>();
  readonly #silent = new Map<string, Set<Duplex>>();

  /** How many there are. */
  get size(): number {
    return this.#bySocket.size;
  }

  /** The one that has given no sign of life for the longest time. */
  get quietest(): Stranger | undefined {
    return this.#bySocket.values().next().value;
  }

  get(socket: Duplex): Stranger | undefined {
    return this.#bySocket.get(socket);
  }

  /** It has just given a sign of life: it is behind all the others now. */
  put(stranger: Stranger): void {
    const { socket, network, isSilent } = stranger;
    this.remove(socket);
    this.#bySocket.set(socket, stranger);
    addTo(this.#byNetwork, network, socket);
    if (isSilent) addTo(this.#silent, network, socket);
  }

  remove(socket: Duplex): void {
    const stranger = this.#bySocket.get(socket);
    if (stranger === undefined) return;
    this.#bySocket.delete(socket);
    removeFrom(this.#byNetwork, stranger.network, socket);
    removeFrom(this.#silent, stranger.network, socket);
  }

  /** How many of a network there are. */
  of(network: string): number {
    return this.#byNetwork.get(network)?.size ?? 0;
  }

  /** How many of a network have asked for nothing yet. */
  silentOf(network: string): number {
    return this.#silent.get(network)?.size ?? 0;
  }

  /** The one of a network that has asked for nothing for the longest time. */
  quietestSilent(network: string): Stranger | undefined {
    return this.#firstOf(this.#silent, network);
  }

  /** The one of a network that has given no sign of life for the longest time. */
  quietestOf(network: string): Stranger | undefined {
    return this.#firstOf(this.#byNetwork, network);
  }

  #firstOf(
    sockets: ReadonlyMap<string, ReadonlySet<Duplex>>,
    network: string,
  ): Stranger | undefined {
    const [socket] = sockets.get(network) ?? [];
    return socket === undefined ? undefined : this.#bySocket.get(socket);
  }
}

function addTo(sockets: Map<string, Set<Duplex>>, network: string, socket: Duplex): void {
  const own = sockets.get(network) ?? new Set();
  sockets.set(network, own.add(socket));
}

function removeFrom(sockets: Map<string, Set<Duplex>>, network: string, socket: Duplex): void {
  const own = sockets.get(network);
  own?.delete(socket);
  if (own?.size === 0) sockets.delete(network);
}
