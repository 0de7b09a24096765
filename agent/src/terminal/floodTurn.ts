import type { Floods } from "./floods.ts";

/** Packets in one turn of the event loop: as much as a tunnel moves beside others. */
const PACKETS = 2;

/** The turns of one terminal whose program writes as fast as it can: others have theirs, too. */
export class FloodTurn {
  readonly #floods: Floods;
  readonly #onBegin: () => void;
  #left = PACKETS;
  #leave: () => void = () => {};

  /** `onBegin` is called when another turn has begun. */
  constructor(floods: Floods, onBegin: () => void) {
    this.#floods = floods;
    this.#onBegin = onBegin;
  }

  /** Whether no more goes in this turn. */
  get isOver(): boolean {
    return this.#left === 0;
  }

  /** A whole packet was sent in it. */
  count(): void {
    const isFirst = this.#left === PACKETS;
    this.#left -= 1;
    if (!isFirst) return;
    const next = () => this.#begin();
    if (!this.#floods.areInTheWay) {
      setImmediate(next);
      return;
    }
    this.#left = 0;
    this.#leave = this.#floods.wait(next);
  }

  /** Nothing more comes of this terminal: it keeps nobody waiting. */
  end(): void {
    this.#leave();
  }

  #begin(): void {
    this.#left = PACKETS;
    this.#onBegin();
  }
}
