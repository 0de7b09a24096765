import { beginningOf } from "@rport/protocol/ownText";
import type { Clock } from "../clock.ts";
import type { LogSink } from "../log.ts";

/** Longer lines are cut. */
const LINE_MAX = 500;
/** How many lines about connections are kept, and how many of all others. */
const CONNECTIONS_MAX = 40;
const OTHERS_MAX = 120;

/** What begins a line that tells where a connection stands. */
const CONNECTION = /^connection /;

/** How a line names the server that it is about. */
const SERVER = /\bserver=("(?:[^"\\]|\\.)*")/g;

interface Line {
  readonly order: number;
  readonly text: string;
}

/**
 * The latest lines of the log, for a report. Those about connections are kept apart, so that many others
 * do not push them out: at most 80 kB in all.
 */
export class RecentLines {
  readonly #clock: Clock;
  readonly #connections: Line[] = [];
  readonly #others: Line[] = [];
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A sink that remembers what it passes on. */
  before(sink: LogSink): LogSink {
    const pass = (level: keyof LogSink) => (line: string) => {
      this.#add(level, line);
      sink[level](line);
    };
    return {
      debug: pass("debug"),
      info: pass("info"),
      warn: pass("warn"),
      error: pass("error"),
    };
  }

  /** The lines, oldest first, with time and level. */
  get all(): readonly string[] {
    const lines = [...this.#connections, ...this.#others];
    return lines.sort((one, other) => one.order - other.order).map(({ text }) => text);
  }

  /** What servers are called in the lines: also those that have gone since, or have another name now. */
  get servers(): readonly string[] {
    const written = this.all.flatMap((line) => [...line.matchAll(SERVER)]);
    return written.map(([, name = '""']) => String(JSON.parse(name)));
  }

  #add(level: string, line: string): void {
    const isConnection = CONNECTION.test(line);
    const kept = isConnection ? this.#connections : this.#others;
    const time = new Date(this.#clock.now()).toISOString();
    this.#count += 1;
    kept.push({ order: this.#count, text: `${time} ${level} ${beginningOf(line, LINE_MAX)}` });
    if (kept.length > (isConnection ? CONNECTIONS_MAX : OTHERS_MAX)) kept.shift();
  }
}
