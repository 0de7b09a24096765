import { LEAST_PACKETS, type OwnTurns } from "../turns.ts";

/** A channel that has something to send. */
export interface Sender {
  /** Sends what it can now, as somebody who has been served since then. */
  pump(sinceMs: number): void;
}

/** What senders depend on. */
export interface SendersDeps {
  readonly turns: OwnTurns;
  /** Asks for one `pump` as soon as the connection takes more. */
  notifyDrain(): void;
}

/** The channels of one connection that wait for its room, or for a turn of the event loop. */
export class Senders {
  readonly #deps: SendersDeps;
  readonly #forRoom = new Set<Sender>();
  readonly #forTurn = new Set<Sender>();
  #isTurnAsked = false;

  constructor(deps: SendersDeps) {
    this.#deps = deps;
  }

  /** The connection takes no more now. */
  waitForRoom(sender: Sender): void {
    this.#forRoom.add(sender);
    this.#deps.notifyDrain();
  }

  /** It has sent as much as it may in this turn. */
  waitForTurn(sender: Sender): void {
    this.#forTurn.add(sender);
    this.#askForTurn();
  }

  /** Has nothing to send any more; harmless when it did not wait. */
  forget(sender: Sender): void {
    this.#forRoom.delete(sender);
    this.#forTurn.delete(sender);
  }

  /** Nobody sends anything any more. */
  clear(): void {
    this.#forRoom.clear();
    this.#forTurn.clear();
  }

  /**
   * There is room again: all who wait send on, in the order they began to wait, as far as there is time
   * in this turn.
   */
  pump(): void {
    for (const sender of this.#forRoom) this.#forTurn.add(sender);
    this.#forRoom.clear();
    this.#serve();
  }

  #serve(): void {
    const { turns } = this.#deps;
    const sinceMs = turns.nowMs();
    let served = 0;
    // Who waits again meanwhile has to wait for the next turn.
    for (const sender of [...this.#forTurn]) {
      if (!this.#forTurn.delete(sender)) continue;
      sender.pump(sinceMs);
      served += 1;
      if (served >= LEAST_PACKETS && turns.isOver(sinceMs)) break;
    }
    if (this.#forTurn.size > 0) this.#askForTurn();
  }

  #askForTurn(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#deps.turns.later(() => {
      this.#isTurnAsked = false;
      this.#serve();
    });
  }
}
