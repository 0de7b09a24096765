import { guarded, type OnFault } from "@rport/protocol/wire/contain";

/** What is sent in one turn of the event loop, to all watchers together. */
const TURN_BYTES = 2_097_152;
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
  #isScheduled = false;

  constructor(step: Step<W>, onFault: OnFault) {
    this.#step = step;
    this.#onFault = onFault;
  }

  /** There may be something to send to these: as soon as it is their turn. */
  wake(watchers: Iterable<W>): void {
    for (const watcher of watchers) this.#waiting.add(watcher);
    if (!this.#isScheduled) this.#turn();
  }

  /** Nothing is to be sent to it any more. */
  drop(watcher: W): void {
    this.#waiting.delete(watcher);
  }

  #turn(): void {
    this.#isScheduled = true;
    let left = TURN_BYTES;
    for (const watcher of this.#waiting) {
      if (left <= 0) break;
      this.#waiting.delete(watcher);
      const bytes = this.#step(watcher);
      // Behind all others: iteration comes to it again after them.
      if (bytes > 0) this.#waiting.add(watcher);
      left -= Math.max(bytes, MESSAGE_COST_BYTES);
    }
    const next = (): void => {
      this.#isScheduled = false;
      if (this.#waiting.size > 0) this.#turn();
    };
    if (this.#waiting.size > 0) setImmediate(guarded(this.#onFault, next));
    else next();
  }
}
