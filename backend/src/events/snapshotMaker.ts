import type { OnFault } from "@rport/protocol/wire/contain";
import type { Snapshot } from "./snapshot.ts";
import { TurnWork } from "./turnWork.ts";

/** What is made in one turn of the event loop, of all snapshots together. */
const TURN_BYTES = 262_144;
/** What is made of one of them before it is the next one's turn. */
const SLICE_BYTES = 65_536;

/** Makes the snapshots of all audiences, a little of one after the other in each turn. */
export class SnapshotMaker {
  /** Whose turn it is stands first. */
  readonly #making = new Set<Snapshot>();
  readonly #work: TurnWork;

  constructor(onFault: OnFault) {
    this.#work = new TurnWork({ budget: TURN_BYTES, step: () => this.#step(), onFault });
  }

  /** Whether there is one to make. */
  get isBusy(): boolean {
    return this.#making.size > 0;
  }

  /** Makes this one, too, until it is complete or has ended. */
  add(snapshot: Snapshot): void {
    this.#making.add(snapshot);
    this.#work.wake();
  }

  #step(): number | undefined {
    const [snapshot] = this.#making;
    if (snapshot === undefined) return undefined;
    this.#making.delete(snapshot);
    const cost = snapshot.isEnded ? 0 : this.#make(snapshot);
    if (!snapshot.isComplete && !snapshot.isEnded) this.#making.add(snapshot);
    return cost;
  }

  #make(snapshot: Snapshot): number {
    try {
      return snapshot.make(SLICE_BYTES);
    } catch (error) {
      snapshot.fail(error);
      return SLICE_BYTES;
    }
  }
}
