import type { Clock } from "../platform/clock.ts";

/** Work that is short: at most a few milliseconds. It throws nothing. */
export type Work = () => void;

/**
 * What handshakes may take of one turn of the event loop. A key exchange costs 1 to 2 ms; agents
 * that are connected wait for no more than this, however many want in; a round trip through a
 * tunnel passes here twice or more.
 */
const TURN_MS = 4;
/**
 * While most who come are sent away again, handshakes rest this long between two turns: those who
 * are in have the better part of the time, and a flood takes its own.
 */
const REST_MS = 40;
/** For so long after the last one that was sent away. */
const STRAINED_MS = 1_000;

/**
 * Shares the time for handshakes out: only so much of it in each turn of the event loop, and to
 * each network in turn, so that a crowd delays its own kind rather than others.
 */
export class NetworkPace {
  readonly #clock: Pick<Clock, "monotonic" | "after">;
  readonly #lines = new Map<string, Work[]>();
  #spentMs = 0;
  #isTurnWatched = false;
  #strainedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "monotonic" | "after">) {
    this.#clock = clock;
  }

  /** One more came in vain, out of more than may come: go slowly for a while. */
  strain(): void {
    this.#strainedUntilMs = this.#clock.monotonic() + STRAINED_MS;
  }

  /**
   * Does the work now if there is time for it, and otherwise as soon as it is the network's turn.
   */
  run(network: string, work: Work): void {
    if (this.#lines.size === 0 && this.#spentMs < TURN_MS) this.#do(work);
    else this.#line(network, work);
    this.#watchTurn();
  }

  #line(network: string, work: Work): void {
    const line = this.#lines.get(network);
    if (line === undefined) this.#lines.set(network, [work]);
    else line.push(work);
  }

  #watchTurn(): void {
    if (this.#isTurnWatched) return;
    this.#isTurnWatched = true;
    const isStrained = this.#clock.monotonic() < this.#strainedUntilMs;
    if (isStrained) this.#clock.after(REST_MS, () => this.#nextTurn());
    else setImmediate(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#isTurnWatched = false;
    this.#spentMs = 0;
    for (const [network, line] of this.#lines) {
      if (this.#spentMs >= TURN_MS) break;
      // Behind all others: iteration comes to it again after them.
      this.#lines.delete(network);
      const work = line.shift();
      if (line.length > 0) this.#lines.set(network, line);
      if (work !== undefined) this.#do(work);
    }
    if (this.#lines.size > 0 || this.#spentMs > 0) this.#watchTurn();
  }

  #do(work: Work): void {
    const startMs = this.#clock.monotonic();
    try {
      work();
    } finally {
      this.#spentMs += this.#clock.monotonic() - startMs;
    }
  }
}
