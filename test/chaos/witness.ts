import { Echo } from "../bench/load.ts";

/** Between two round trips. */
const BETWEEN_MS = 20;
/** Between two tries to connect. */
const AGAIN_MS = 100;

/** What a tunnel's user met with. */
export interface Testimony {
  readonly trips: number;
  /** Connections that were cut. */
  readonly cuts: number;
  /** The longest time without an answer. */
  readonly longestGapMs: number;
}

/** Uses one tunnel all the time, as a person who works through it. */
export class Witness {
  readonly #port: number;
  #trips = 0;
  #cuts = 0;
  #longestGapMs = 0;
  #lastMs = performance.now();
  #isOver = false;
  readonly #ended: Promise<void>;

  /** Begins at once. */
  constructor(port: number) {
    this.#port = port;
    this.#ended = this.#run();
  }

  /** How many answers came so far. */
  get trips(): number {
    return this.#trips;
  }

  /** Ends with the next answer. */
  async stop(): Promise<Testimony> {
    this.#isOver = true;
    await this.#ended;
    return { trips: this.#trips, cuts: this.#cuts, longestGapMs: this.#longestGapMs };
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const echo = new Echo(this.#port);
      try {
        await this.#use(echo);
        await echo.end();
      } catch {
        this.#cuts += 1;
        await pause(AGAIN_MS);
      }
    }
  }

  async #use(echo: Echo): Promise<void> {
    while (!this.#isOver) {
      await echo.roundTrip();
      const nowMs = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      this.#trips += 1;
      await pause(BETWEEN_MS);
    }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
