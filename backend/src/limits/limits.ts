import type { Clock } from "../platform/clock.ts";
import type { Fields, Log } from "../platform/log.ts";
import {
  LIMIT_NAMES,
  LIMITS,
  type LimitName,
  type LimitValues,
  type SetLimits,
} from "./limitTable.ts";

/** A limit that bites again and again is logged once in this time, with how often it bit. */
const LOG_EVERY_MS = 60_000;

/** What the limits need. */
export interface LimitsDeps {
  /** Where they differ from the usual. */
  readonly values?: SetLimits | undefined;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Pick<Log, "warn">;
}

/** How a limit stands now. */
export interface LimitState {
  readonly name: LimitName;
  readonly max: number;
  /** What is used of it; undefined where nobody keeps that. */
  readonly used: number | undefined;
  /** How often it bit since the start. */
  readonly bites: number;
}

interface Bites {
  readonly count: number;
  /** Since the last line of the log. */
  readonly untold: number;
  readonly toldMs: number;
}

const NEVER: Bites = { count: 0, untold: 0, toldMs: Number.NEGATIVE_INFINITY };

/** The limits in force, and what became of them: one object for the whole server. */
export class Limits {
  readonly #values: LimitValues;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #log: Pick<Log, "warn">;
  readonly #bites = new Map<LimitName, Bites>();
  readonly #use = new Map<LimitName, () => number>();
  #hasOthers = () => true;

  constructor({ values = {}, clock, log }: LimitsDeps) {
    const all = LIMIT_NAMES.map((name) => [name, values[name] ?? LIMITS[name].usual]);
    this.#values = Object.fromEntries(all) as LimitValues;
    this.#clock = clock;
    this.#log = log;
  }

  /** The number of a limit. */
  max(name: LimitName): number {
    return this.#values[name];
  }

  /**
   * A limit has just kept something out. It is counted, and logged at once, and then once a minute
   * for as long as it goes on; `fields` say whom it concerns.
   */
  bite(name: LimitName, fields: Fields = {}): void {
    const before = this.#bites.get(name) ?? NEVER;
    const nowMs = this.#clock.monotonic();
    const untold = before.untold + 1;
    const isTold = nowMs - before.toldMs >= LOG_EVERY_MS;
    if (isTold) this.#tell(name, untold, fields);
    this.#bites.set(name, {
      count: before.count + 1,
      untold: isTold ? 0 : untold,
      toldMs: isTold ? nowMs : before.toldMs,
    });
  }

  /** From now on `used` answers how much of a limit is used. */
  watch(name: LimitName, used: () => number): void {
    this.#use.set(name, used);
  }

  /** From now on `hasOthers` answers whether more than one person may come here. */
  sharedWhile(hasOthers: () => boolean): void {
    this.#hasOthers = hasOthers;
  }

  /** Whether one person has to leave some of a limit to others; so it is until somebody knows. */
  get isShared(): boolean {
    return this.#hasOthers();
  }

  /** How all limits stand, in the order of the table. */
  states(): readonly LimitState[] {
    return LIMIT_NAMES.map((name) => ({
      name,
      max: this.max(name),
      used: this.#use.get(name)?.(),
      bites: this.#bites.get(name)?.count ?? 0,
    }));
  }

  #tell(limit: LimitName, times: number, fields: Fields): void {
    this.#log.warn("a limit was met", { ...fields, limit, max: this.max(limit), times });
  }
}
