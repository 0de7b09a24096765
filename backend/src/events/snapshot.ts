import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { Piece } from "./pieces.ts";

/** What a snapshot is made of. */
export interface SnapshotDeps {
  /** The change after which it begins: deltas from the next one on lead from it to the present. */
  readonly seq: number;
  /** Its messages, each made when it is asked for. */
  readonly pieces: Iterator<Piece>;
  /** There is one more, or it is complete. */
  readonly onMore: () => void;
  /** It cannot be made. */
  readonly onFault: OnFault;
}

/**
 * Everything there is, encoded once for all who come while it is made or soon after. One message is
 * made in each turn of the event loop, the first at once: nobody else waits for all of it. What
 * changes meanwhile may be in it or not; the deltas behind it carry it whole in either case.
 */
export class SnapshotMessages {
  readonly seq: number;
  readonly #deps: SnapshotDeps;
  readonly #messages: Buffer[] = [];
  #bytes = 0;
  /** How many watchers read it. */
  readers = 0;
  #isComplete = false;
  #isStopped = false;

  constructor(deps: SnapshotDeps) {
    this.seq = deps.seq;
    this.#deps = deps;
  }

  /** Makes the first message, and then the others. */
  start(): void {
    guarded(this.#deps.onFault, () => this.#make())();
  }

  /** Makes no more; for one that nobody waits for. */
  stop(): void {
    this.#isStopped = true;
  }

  /** What its messages have so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all of its messages are there. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** One of its messages, from 0 on; undefined: there is none (yet). */
  at(index: number): Buffer | undefined {
    return this.#messages[index];
  }

  #add(message: Buffer): void {
    this.#messages.push(message);
    this.#bytes += message.length;
  }

  #make(): void {
    if (this.#isStopped) return;
    const { value, done } = this.#deps.pieces.next();
    if (done !== true) this.#add(value.message);
    this.#isComplete = done === true || value.isLast;
    this.#deps.onMore();
    if (!this.#isComplete) setImmediate(guarded(this.#deps.onFault, () => this.#make()));
  }
}
