import { guarded, type OnFault } from "@rport/protocol/wire/contain";

/** What is sent in one turn of the event loop, to all watchers together. */
const TURN_BYTES = 1_048_576;
/** A message is as much work as this many bytes, however short it is. */
const MESSAGE_COST_BYTES = 16_384;

/** Sends one message to somebody; answers with its bytes, 0 when there is nothing to send now. */
export type Step<W> = (watcher: W) => number;

/**
 * Sends to a few watchers in each turn of the event loop, a message each, one after the other: two
 * hundred editors that come at once wait for each other, and nobody else waits for them.
 */
export class Pump<W> {
  readonly #step: Step<W>;
  readonly #onFault: OnFault;
  readonly #waiting = new Set<W>();
  /** What may still be sent in this turn. */
  #left = TURN_BYTES;
  #isTurnWatched = false;

  constructor(step: Step<W>, onFault: OnFault) {
    this.#step = step;
    this.#onFault = onFault;
  }

  /** There may be something to send to these: as soon as it is their turn. */
  wake(watchers: Iterable<W>): void {
    for (const watcher of watchers) this.#waiting.add(watcher);
    this.#send();
  }

  /** Nothing is to be sent to it any more. */
  drop(watcher: W): void {
    this.#waiting.delete(watcher);
  }

  #send(): void {
    for (const watcher of this.#waiting) {
      if (this.#left <= 0) break;
      this.#waiting.delete(watcher);
      const bytes = this.#step(watcher);
      // Behind all others: iteration comes to it again after them.
      if (bytes > 0) this.#waiting.add(watcher);
      this.#left -= Math.max(bytes, MESSAGE_COST_BYTES);
    }
    this.#watchTurn();
  }

  /** However often somebody is woken in one turn, there is so much to send in it. */
  #watchTurn(): void {
    if (this.#isTurnWatched || this.#left === TURN_BYTES) return;
    this.#isTurnWatched = true;
    const next = (): void => {
      this.#isTurnWatched = false;
      this.#left = TURN_BYTES;
      this.#send();
    };
    setImmediate(guarded(this.#onFault, next));
  }
}
