import type { Duplex } from "node:stream";

/** A connection that nobody has vouched for, and when it gave its last sign of life. */
export interface Stranger {
  readonly socket: Duplex;
  readonly network: string;
  /** It has asked for nothing yet. */
  readonly isSilent: boolean;
  readonly sinceMs: number;
}

/** Those that nobody has vouched for, in the order of their last signs of life. */
export class Strangers {
  readonly #bySocket = new Map<Duplex, Stranger>();
  readonly #ofNetwork = new Map<string, number>();
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
    this.#ofNetwork.set(network, this.of(network) + 1);
    if (!isSilent) return;
    const silent = this.#silent.get(network) ?? new Set();
    this.#silent.set(network, silent.add(socket));
  }

  remove(socket: Duplex): void {
    const stranger = this.#bySocket.get(socket);
    if (stranger === undefined) return;
    this.#bySocket.delete(socket);
    const left = this.of(stranger.network) - 1;
    if (left > 0) this.#ofNetwork.set(stranger.network, left);
    else this.#ofNetwork.delete(stranger.network);
    const silent = this.#silent.get(stranger.network);
    silent?.delete(socket);
    if (silent?.size === 0) this.#silent.delete(stranger.network);
  }

  /** How many of a network there are. */
  of(network: string): number {
    return this.#ofNetwork.get(network) ?? 0;
  }

  /** How many of a network have asked for nothing yet. */
  silentOf(network: string): number {
    return this.#silent.get(network)?.size ?? 0;
  }

  /** The one of a network that has asked for nothing for the longest time. */
  quietestSilent(network: string): Stranger | undefined {
    const [socket] = this.#silent.get(network) ?? [];
    return socket === undefined ? undefined : this.#bySocket.get(socket);
  }
}
