import type { WireClock } from "./clock.ts";
import { guarded, type OnFault } from "./contain.ts";
import { Fifo } from "./fifo.ts";

/** What all peers together may take of one turn of the event loop. */
const TURN_MS = 4;
/** What one of them may take before it is another one's turn. */
const VISIT_MS = 1;

/**
 * So many packets are worked on before somebody asks whether the turn is over: they cost half a
 * millisecond at the most. Time passes also while a busy machine has no processor for this one, and
 * whoever could do one packet in each turn then would come to a stop.
 */
export const LEAST_PACKETS = 16;

/** What turns need. */
export interface TurnsDeps {
  readonly clock: Pick<WireClock, "monotonic">;
  /** Told what was thrown in a later turn. */
  readonly onFault?: OnFault | undefined;
}

/** The turns as one connection sees them. */
export interface OwnTurns {
  nowMs(): number;
  /**
   * Whether whoever has been served since then has to wait for a later turn. Asked behind some work
   * (`LEAST_PACKETS`), not in front of it: who has little to do never waits.
   */
  isOver(sinceMs: number): boolean;
  /** Does something more in a later turn. */
  later(work: () => void): void;
}

/**
 * Shares the time for what peers bring about: only so much of each turn of the event loop, to each line
 * in turn, a millisecond each. A message of megabytes that is all small packets, or a window that lets
 * thousands of them out at once, delays its own line, and a turn ends in time for everybody else.
 */
export class Turns {
  readonly #clock: TurnsDeps["clock"];
  readonly #onFault: OnFault;
  readonly #lines = new Map<string, Fifo<() => void>>();
  /** When this turn began to be used; undefined: nobody has used it yet. */
  #turnMs: number | undefined;
  #isWatched = false;

  constructor({ clock, onFault = () => {} }: TurnsDeps) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** The turns of one connection, in the line that it belongs to by then; `guard` runs its work. */
  own(line: () => string, guard: (work: () => void) => void): OwnTurns {
    return {
      nowMs: () => this.#clock.monotonic(),
      isOver: (sinceMs) => this.#isOver(sinceMs),
      later: (work) => this.#wait(line(), () => guard(work)),
    };
  }

  #isOver(sinceMs: number): boolean {
    const nowMs = this.#clock.monotonic();
    this.#turnMs ??= nowMs;
    this.#watch();
    return nowMs - sinceMs >= VISIT_MS || nowMs - this.#turnMs >= TURN_MS;
  }

  #wait(name: string, work: () => void): void {
    const line = this.#lines.get(name) ?? new Fifo();
    line.push(work);
    this.#lines.set(name, line);
    this.#watch();
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    setImmediate(guarded(this.#onFault, () => this.#next()));
  }

  /** A turn begins with those who waited. */
  async #next(): Promise<void> {
    const startMs = this.#clock.monotonic();
    this.#isWatched = false;
    this.#turnMs = this.#lines.size > 0 ? startMs : undefined;
    // Who waits again meanwhile has to wait for the next turn.
    let left = [...this.#lines.values()].reduce((sum, { length }) => sum + length, 0);
    while (left > 0 && this.#clock.monotonic() - startMs < TURN_MS) {
      left -= 1;
      this.#serveNext();
      // What follows from it, in promises, is counted as well.
      await Promise.resolve();
    }
    if (this.#lines.size > 0) this.#watch();
  }

  #serveNext(): void {
    const [[name, line] = []] = this.#lines;
    if (name === undefined || line === undefined) return;
    // Behind all others: iteration comes to it again after them.
    this.#lines.delete(name);
    const work = line.take();
    if (line.length > 0) this.#lines.set(name, line);
    if (work !== undefined) guarded(this.#onFault, work)();
  }
}
