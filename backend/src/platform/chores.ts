import type { OnFault } from "@rport/protocol/wire/contain";
import type { Clock } from "./clock.ts";

/** What chores take of one turn of the event loop before others are served. */
const TURN_MS = 4;
/** For so long chores that wait leave the time to whoever makes more of them. */
const PATIENCE_MS = 1_000;

/** What chores need. */
export interface ChoresDeps {
  readonly clock: Pick<Clock, "monotonic">;
  /** Told what a chore threw; the others are done all the same. */
  readonly onFault: OnFault;
}

/**
 * Work that nobody waits for: done at once while there is time for it, and otherwise in order, a few
 * milliseconds in each turn of the event loop. One alone never waits; of thousands that come at once,
 * each does, and nobody else. While more come, what makes them goes first, for a second at most: its
 * own work is what others wait for.
 */
export class Chores {
  readonly #deps: ChoresDeps;
  #waiting: (() => void)[] = [];
  /** How many of those are done. */
  #done = 0;
  #spentMs = 0;
  /** Since when there has always been one that waits. */
  #waitingSinceMs = 0;
  /** Whether one more had to wait in this turn. */
  #isGrowing = false;
  #isTurnWatched = false;

  constructor(deps: ChoresDeps) {
    this.#deps = deps;
  }

  /** Does it now, or as soon as it is its turn. */
  run(chore: () => void): void {
    if (this.#waiting.length === 0 && this.#spentMs < TURN_MS) this.#do(chore);
    else this.#wait(chore);
    this.#watchTurn();
  }

  /** Resolves when everything is done that is there now. */
  done(): Promise<void> {
    return new Promise((resolve) => this.run(resolve));
  }

  #wait(chore: () => void): void {
    if (this.#waiting.length === 0) this.#waitingSinceMs = this.#deps.clock.monotonic();
    this.#waiting.push(chore);
    this.#isGrowing = true;
  }

  #watchTurn(): void {
    if (this.#isTurnWatched) return;
    this.#isTurnWatched = true;
    setImmediate(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#isTurnWatched = false;
    this.#spentMs = 0;
    const isPatient = this.#deps.clock.monotonic() - this.#waitingSinceMs < PATIENCE_MS;
    if (!(this.#isGrowing && isPatient)) this.#doSome();
    this.#isGrowing = false;
    if (this.#waiting.length > 0 || this.#spentMs > 0) this.#watchTurn();
  }

  #doSome(): void {
    while (this.#spentMs < TURN_MS) {
      const chore = this.#waiting[this.#done];
      if (chore === undefined) break;
      this.#done += 1;
      this.#do(chore);
    }
    this.#forgetDone();
  }

  #forgetDone(): void {
    this.#waiting = this.#waiting.slice(this.#done);
    this.#done = 0;
  }

  #do(chore: () => void): void {
    const startMs = this.#deps.clock.monotonic();
    try {
      chore();
    } catch (error) {
      this.#deps.onFault(error);
    } finally {
      this.#spentMs += this.#deps.clock.monotonic() - startMs;
    }
  }
}
