import type { TransportListener } from "./transportDeps.ts";

/**
 * Where a transport puts its messages: the layer above, or, as long as there is none, a list. The
 * peer may send right after its login, before the owner has looked at who it is.
 */
export class Mailbox {
  #listener: TransportListener | undefined;
  #early: Buffer[] = [];
  /** Whether the layer above waits for room. */
  isWaiting = false;

  get listener(): TransportListener | undefined {
    return this.#listener;
  }

  /** Hands a message up; false when it was kept because nobody listens yet. */
  deliver(payload: Buffer): boolean {
    if (this.#listener === undefined) {
      this.#early.push(payload);
      return false;
    }
    this.#listener.onMessage(payload);
    return true;
  }

  /** Sets the layer above and answers what was kept for it. */
  listen(listener: TransportListener): readonly Buffer[] {
    this.#listener = listener;
    return this.clear();
  }

  /** There is room: tells the layer above, once, if it waits for that. */
  drain(): void {
    if (!this.isWaiting) return;
    this.isWaiting = false;
    this.#listener?.onDrain();
  }

  /** Forgets what was kept, and answers it. */
  clear(): readonly Buffer[] {
    return this.#early.splice(0);
  }
}
