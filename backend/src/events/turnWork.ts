import { guarded, type OnFault } from "@rport/protocol/wire/contain";

/** Much work that is cut into steps. */
export interface TurnWorkDeps {
  /** What the steps of one turn of the event loop may cost together; the last may cost more. */
  readonly budget: number;
  /** Does a little of the work, and answers what it cost; undefined: there is none now. */
  readonly step: () => number | undefined;
  readonly onFault: OnFault;
}

/** Does work a little in each turn of the event loop, so that nobody else waits for all of it. */
export class TurnWork {
  readonly #deps: TurnWorkDeps;
  /** What may still be done in this turn. */
  #left: number;
  #isWorking = false;
  #isTurnWatched = false;

  constructor(deps: TurnWorkDeps) {
    this.#deps = deps;
    this.#left = deps.budget;
  }

  /** There may be work: it begins at once, if this turn has something left for it. */
  wake(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      this.#work();
    } finally {
      this.#isWorking = false;
      this.#watchTurn();
    }
  }

  #work(): void {
    while (this.#left > 0) {
      const cost = this.#deps.step();
      if (cost === undefined) return;
      this.#left -= cost;
    }
  }

  /** However often it is woken in one turn, there is so much to do in it. */
  #watchTurn(): void {
    const { budget, onFault } = this.#deps;
    if (this.#isTurnWatched || this.#left === budget) return;
    this.#isTurnWatched = true;
    const next = (): void => {
      this.#isTurnWatched = false;
      this.#left = budget;
      this.wake();
    };
    setImmediate(guarded(onFault, next));
  }
}
