import type { OnFault } from "@rport/protocol/wire/contain";
import { TurnWork } from "./turnWork.ts";
import type { Watcher } from "./watcher.ts";

/** What is sent in one turn of the event loop, to all watchers together. */
const TURN_BYTES = 1_048_576;
/** A message is as much work as this many bytes, however short it is. */
const MESSAGE_COST_BYTES = 16_384;

/** Watchers who are told the same. */
export interface Told {
  /** Sends one message to a watcher; answers with its bytes, 0 when there is nothing to send now. */
  step(watcher: Watcher): number;
}

/**
 * Sends to a few watchers in each turn of the event loop, a message each: each audience in turn, and
 * of one audience one watcher after the other. Two hundred editors that come at once wait for each
 * other, however many audiences they are, and nobody else waits for them.
 */
export class Pump {
  /** The audience whose turn it is stands first, and so does its watcher. */
  readonly #waiting = new Map<Told, Set<Watcher>>();
  readonly #work: TurnWork;

  constructor(onFault: OnFault) {
    this.#work = new TurnWork({ budget: TURN_BYTES, step: () => this.#step(), onFault });
  }

  /** There may be something to send to these watchers of an audience: as soon as it is their turn. */
  wake(audience: Told, watchers: Iterable<Watcher>): void {
    for (const watcher of watchers) this.#put(audience, watcher);
    this.#work.wake();
  }

  /** Nothing is to be sent to it any more. */
  drop(audience: Told, watcher: Watcher): void {
    const watchers = this.#waiting.get(audience);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#waiting.delete(audience);
  }

  #put(audience: Told, watcher: Watcher): void {
    const watchers = this.#waiting.get(audience) ?? new Set();
    this.#waiting.set(audience, watchers.add(watcher));
  }

  #step(): number | undefined {
    for (const [audience, watchers] of this.#waiting) {
      for (const watcher of watchers) {
        watchers.delete(watcher);
        this.#rotate(audience, watchers);
        const bytes = audience.step(watcher);
        // Behind all others: its turn comes again after them.
        if (bytes > 0) this.#put(audience, watcher);
        return Math.max(bytes, MESSAGE_COST_BYTES);
      }
    }
    return undefined;
  }

  /** It is the next audience's turn, if there is another one. */
  #rotate(audience: Told, watchers: Set<Watcher>): void {
    if (this.#waiting.size === 1 && watchers.size > 0) return;
    this.#waiting.delete(audience);
    if (watchers.size > 0) this.#waiting.set(audience, watchers);
  }
}
