import type { Snapshot as SnapshotContent } from "@rport/protocol/events";
import type { EncodedThing } from "./encodedThing.ts";
import type { Message } from "./message.ts";
import { Lists, PIECE_BYTES, Piece } from "./pieces.ts";
import type { SharedBytes } from "./sharedText.ts";
import type { ShownThings } from "./shownThings.ts";

/** To look at a thing is as much work as to encode this many bytes. */
const VISIT_COST_BYTES = 512;

/** What a snapshot is made of. */
export interface SnapshotDeps {
  /** What stands in its first message beside the lists; deltas behind its `seq` lead to the present. */
  readonly facts: Pick<SnapshotContent, "seq" | "at" | "server">;
  /** Everything there is, each when it is asked for. */
  readonly things: Iterator<EncodedThing>;
  readonly shown: ShownThings;
  /** What was encoded so far, for whoever it was. */
  readonly encodedBytes: () => number;
  /** Where its texts are counted. */
  readonly texts: SharedBytes;
  /** There is one more message, or it is complete. */
  readonly onMore: () => void;
  /** It cannot be made. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Everything that one audience is shown, for all who come while it is made or soon after, as lists of
 * texts that it shares with others. It is made a little at a time. What changes meanwhile may be in
 * it or not; the deltas behind it carry it whole in either case.
 */
export class Snapshot {
  readonly seq: number;
  readonly #deps: SnapshotDeps;
  readonly #pieces: Piece[] = [];
  #lists = new Lists();
  /** How many watchers read it. */
  readers = 0;
  #isComplete = false;
  #isEnded = false;

  constructor(deps: SnapshotDeps) {
    this.seq = deps.facts.seq;
    this.#deps = deps;
  }

  /** Whether all of its messages are there. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Whether nobody reads it any more. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** One of its messages, from 0 on; undefined: there is none (yet). */
  at(index: number): Message | undefined {
    return this.#pieces[index];
  }

  /** Goes on with it for about so many bytes of work; answers with what it was. */
  make(budgetBytes: number): number {
    const before = this.#pieces.length;
    let cost = 0;
    while (cost < budgetBytes && !this.#isComplete) cost += this.#visit();
    if (this.#pieces.length > before) this.#deps.onMore();
    return cost;
  }

  /** It cannot be made. */
  fail(error: unknown): void {
    this.#deps.onFault(error);
  }

  /** Nobody reads it any more, or ever will. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const { texts } of this.#pieces) this.#deps.texts.release(texts);
    this.#deps.texts.release(this.#lists.texts);
  }

  #visit(): number {
    const { things, shown, encodedBytes } = this.#deps;
    const before = encodedBytes();
    const { value: thing, done } = things.next();
    if (done === true) this.#finish();
    else this.#add(thing, shown);
    return VISIT_COST_BYTES + encodedBytes() - before;
  }

  #add(thing: EncodedThing, shown: ShownThings): void {
    const text = shown.textOf(thing);
    if (text === undefined) return;
    if (this.#lists.bytes >= PIECE_BYTES) this.#close(true);
    this.#lists.add(thing.entity, text);
    this.#deps.texts.hold([text]);
  }

  #finish(): void {
    this.#isComplete = true;
    this.#close(false);
  }

  #close(more: boolean): void {
    const { facts } = this.#deps;
    const { seq, at, server } = facts;
    const isFirst = this.#pieces.length === 0;
    const head = isFirst ? { type: "snapshot", seq, at, server } : { type: "piece", seq };
    this.#pieces.push(new Piece(head, this.#lists, more));
    this.#lists = new Lists();
  }
}
