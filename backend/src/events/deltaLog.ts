import type { Backlog } from "./backlog.ts";
import type { DeltaMessage } from "./delta.ts";

/** The deltas that somebody of one audience has still to be told, in their order. */
export class DeltaLog {
  readonly #backlog: Backlog;
  readonly #onDropped: () => void;
  #messages: DeltaMessage[] = [];
  #bytes = 0;
  #last: number;

  /** An empty log behind the delta `seq`; `onDropped`: `base` is another one, for lack of room. */
  constructor(seq: number, backlog: Backlog, onDropped: () => void) {
    this.#last = seq;
    this.#backlog = backlog;
    this.#onDropped = onDropped;
  }

  /** The delta before the first one that is kept: who has that one, or a later, can go on. */
  get base(): number {
    return this.#last - this.#messages.length;
  }

  /** How many are kept. */
  get size(): number {
    return this.#messages.length;
  }

  /** What they have, whoever else has it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the next delta. */
  add(message: DeltaMessage): void {
    this.#messages.push(message);
    this.#bytes += message.bytes;
    this.#last += 1;
    this.#backlog.texts.hold(message.texts);
    this.#backlog.enter(this);
  }

  /** The delta with this number, if it is kept. */
  get(seq: number): DeltaMessage | undefined {
    return this.#messages[seq - this.base - 1];
  }

  /** Everybody has the deltas up to this one. */
  release(seq: number): void {
    this.#drop(Math.max(0, Math.min(seq - this.base, this.#messages.length)));
  }

  /** There is no room for all of them. */
  dropOldest(): void {
    this.#drop(1);
    this.#onDropped();
  }

  #drop(count: number): void {
    for (const message of this.#messages.splice(0, count)) {
      this.#bytes -= message.bytes;
      this.#backlog.texts.release(message.texts);
    }
    if (this.#messages.length === 0) this.#backlog.leave(this);
  }
}
