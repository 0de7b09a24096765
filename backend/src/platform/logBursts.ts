import { Budget } from "./budget.ts";
import type { Clock, Timer } from "./clock.ts";
import type { Fields, Log } from "./log.ts";
import { networkOf } from "./network.ts";

/** What bursts of lines need. */
export interface LogBurstsDeps {
  readonly clock: Pick<Clock, "after" | "monotonic">;
}

/** Whose lines are counted together. */
export interface LineCause {
  readonly accountId: string;
  readonly name: string;
}

/** One line that somebody outside caused. */
export interface OutsideLine {
  readonly log: Pick<Log, "debug" | "info" | "warn" | "error">;
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  /** Where the call came from; only of strangers it is looked at. */
  readonly address?: string | undefined;
  /** Who called; undefined: a stranger, who is counted by network. */
  readonly user?: LineCause | undefined;
  readonly fields: Fields;
}

/** Lines of one user or network and kind that are written one by one within a minute. */
const MAX = 5;
/**
 * Networks and kinds told apart at once, and new ones in an hour, and users and kinds beside them; the
 * others share one window per kind, so a flood stays bounded.
 */
const WINDOWS_MAX = 1_000;
const WINDOW_MS = 60_000;
const NEW_ONES = { burst: WINDOWS_MAX, perSecond: WINDOWS_MAX / 3_600 };

/** Users are told apart from strangers: neither has their lines counted with those of the other. */
type Class = "users" | "strangers";

interface Window {
  readonly timer: Timer;
  count: number;
}

/**
 * Lines of the log that somebody outside can cause at any rate: of each kind and user, or network of
 * strangers, the first few of a minute are written, then one that counts the others. Of users, who are
 * known, those are written for who looks for them.
 */
export class LogBursts {
  readonly #clock: LogBurstsDeps["clock"];
  readonly #windows = { users: new Map<string, Window>(), strangers: new Map<string, Window>() };
  readonly #new: Budget<Class>;
  readonly #ends = new Set<() => void>();

  constructor({ clock }: LogBurstsDeps) {
    this.#clock = clock;
    this.#new = new Budget({ clock, keysMax: 2 });
  }

  /** Writes the line, or counts it. */
  note(line: OutsideLine): void {
    const { log, level, message, user, fields } = line;
    const window = this.#windowOf(line);
    window.count += 1;
    if (window.count <= MAX) log[level](message, fields);
    else if (user !== undefined) log.debug(message, fields);
  }

  /** Writes all that was counted so far. */
  close(): void {
    for (const end of [...this.#ends]) end();
  }

  #windowOf({ log, level, message, address = "", user }: OutsideLine): Window {
    const ofClass = user === undefined ? "strangers" : "users";
    const windows = this.#windows[ofClass];
    const cause = user?.accountId ?? networkOf(address);
    const isShared = !this.#isToldApart(ofClass, `${cause} ${message}`);
    const key = isShared ? `others ${message}` : `${cause} ${message}`;
    const known = windows.get(key);
    if (known !== undefined) return known;
    const end = (): void => {
      timer.cancel();
      windows.delete(key);
      this.#ends.delete(end);
      const more = window.count - MAX;
      if (more <= 0) return;
      const name = isShared ? "many others" : (user?.name ?? cause);
      const who = user === undefined ? { network: name } : { user: name };
      log[level](message, { ...who, more, withinSeconds: WINDOW_MS / 1_000 });
    };
    const timer = this.#clock.after(WINDOW_MS, end);
    const window = { timer, count: 0 };
    windows.set(key, window);
    this.#ends.add(end);
    return window;
  }

  /** Whoever has a /48 has ever other networks: they are new each minute, and soon nobody's. */
  #isToldApart(ofClass: Class, key: string): boolean {
    const windows = this.#windows[ofClass];
    if (windows.has(key)) return true;
    return windows.size < WINDOWS_MAX && this.#new.spend(ofClass, 1, NEW_ONES) === 0;
  }
}
