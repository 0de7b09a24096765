import type { Duplex } from "node:stream";

/** The connections on which users showed tokens, each with who did so last. */
export class UserConnections {
  readonly #owners = new Map<Duplex, string>();
  readonly #counts = new Map<string, number>();

  /** The connection is the user's; false, and nothing changes, when they have `max` others already. */
  take(socket: Duplex, user: string, max: number): boolean {
    if (this.#owners.get(socket) === user) return true;
    const count = this.#counts.get(user) ?? 0;
    if (count >= max) return false;
    this.leave(socket);
    this.#owners.set(socket, user);
    this.#counts.set(user, count + 1);
    return true;
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
