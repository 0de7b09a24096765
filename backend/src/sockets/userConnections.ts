import type { Duplex } from "node:stream";

/** The connections on which users showed tokens, each with who did so last. */
export class UserConnections {
  readonly #owners = new Map<Duplex, string>();
  readonly #counts = new Map<string, number>();

  /** Whether the connection may be the user's: false when they have `max` others already. */
  hasRoom(socket: Duplex, user: string, max: number): boolean {
    return this.#owners.get(socket) === user || (this.#counts.get(user) ?? 0) < max;
  }

  /** The connection is the user's from now on, and nobody else's. */
  take(socket: Duplex, user: string): void {
    if (this.#owners.get(socket) === user) return;
    this.leave(socket);
    this.#owners.set(socket, user);
    this.#counts.set(user, (this.#counts.get(user) ?? 0) + 1);
  }

  /** The connection is nobody's any more; harmless when it was not. */
  leave(socket: Duplex): void {
    const user = this.#owners.get(socket);
    if (user === undefined) return;
    this.#owners.delete(socket);
    const count = (this.#counts.get(user) ?? 1) - 1;
    if (count > 0) this.#counts.set(user, count);
    else this.#counts.delete(user);
  }
}
