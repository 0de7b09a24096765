import type { Clock, Timer } from "./clock.ts";
import type { Fields, Log } from "./log.ts";
import { networkOf } from "./network.ts";

/** What bursts of lines need. */
export interface LogBurstsDeps {
  readonly clock: Pick<Clock, "after">;
}

/** One line that a stranger caused. */
export interface StrangersLine {
  readonly log: Pick<Log, "info" | "warn">;
  readonly level: "info" | "warn";
  readonly message: string;
  /** Where the stranger called from. */
  readonly address: string;
  readonly fields: Fields;
}

/** Lines of one network and kind that are written one by one within a minute. */
const MAX = 5;
/** Networks and kinds told apart; the others share one window per kind, so a flood stays bounded. */
const WINDOWS_MAX = 1_000;
const WINDOW_MS = 60_000;

interface Window {
  readonly timer: Timer;
  count: number;
}

/**
 * Lines of the log that anybody outside can cause at any rate: of each kind and network the first
 * few of a minute are written, then one that counts the others.
 */
export class LogBursts {
  readonly #clock: Pick<Clock, "after">;
  readonly #windows = new Map<string, Window>();
  readonly #ends = new Set<() => void>();

  constructor({ clock }: LogBurstsDeps) {
    this.#clock = clock;
  }

  /** Writes the line, or counts it. */
  note(line: StrangersLine): void {
    const window = this.#windowOf(line);
    window.count += 1;
    if (window.count <= MAX) line.log[line.level](line.message, line.fields);
  }

  /** Writes all that was counted so far. */
  close(): void {
    for (const end of [...this.#ends]) end();
  }

  #windowOf({ log, level, message, address }: StrangersLine): Window {
    const network = networkOf(address);
    const wanted = `${network} ${message}`;
    const isShared = !this.#windows.has(wanted) && this.#windows.size >= WINDOWS_MAX;
    const key = isShared ? `others ${message}` : wanted;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const end = (): void => {
      timer.cancel();
      this.#windows.delete(key);
      this.#ends.delete(end);
      const more = window.count - MAX;
      const from = isShared ? "many others" : network;
      if (more > 0) log[level](message, { network: from, more, withinSeconds: WINDOW_MS / 1_000 });
    };
    const timer = this.#clock.after(WINDOW_MS, end);
    const window = { timer, count: 0 };
    this.#windows.set(key, window);
    this.#ends.add(end);
    return window;
  }
}
