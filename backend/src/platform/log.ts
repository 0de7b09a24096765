import { createWriteStream } from "node:fs";
import type { Clock } from "./clock.ts";
import { toTime } from "./clock.ts";
import { Redactor } from "./redactor.ts";

/** Facts that go with a message. Fields that are undefined are left out. */
export type Fields = Record<string, string | number | boolean | undefined>;

/** How grave a message is, least grave first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** How grave a message is. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where messages go. Never throws; secrets are taken out before anything is written. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A log that adds `fields` to each message. */
  child(fields: Fields): Log;
}

/** Takes one finished line, without its line end. */
export type Sink = (line: string) => void;

/** What a log needs. Messages below `level` are dropped. */
export interface LogOptions {
  readonly clock: Clock;
  readonly sink: Sink;
  readonly level?: LogLevel;
  readonly redactor?: Redactor;
}

/** A log that writes one JSON object per line: `time`, `level`, `message`, then the fields. */
export function createLog(options: LogOptions): Log {
  const redactor = options.redactor ?? new Redactor();
  return new LineLog({ level: "info", ...options, redactor }, {});
}

class LineLog implements Log {
  readonly #options: Required<LogOptions>;
  readonly #fields: Fields;

  constructor(options: Required<LogOptions>, fields: Fields) {
    this.#options = options;
    this.#fields = fields;
  }

  debug(message: string, fields?: Fields): void {
    this.#write("debug", message, fields);
  }
  info(message: string, fields?: Fields): void {
    this.#write("info", message, fields);
  }
  warn(message: string, fields?: Fields): void {
    this.#write("warn", message, fields);
  }
  error(message: string, fields?: Fields): void {
    this.#write("error", message, fields);
  }

  child(fields: Fields): Log {
    return new LineLog(this.#options, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields: Fields = {}): void {
    const { clock, sink, redactor } = this.#options;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.#options.level)) return;
    const line: Fields = { time: toTime(clock.now()), level, message: redactor.text(message) };
    for (const [name, value] of Object.entries({ ...this.#fields, ...fields })) {
      if (value !== undefined) line[name] = redactor.field(name, value);
    }
    sink(JSON.stringify(line));
  }
}

/** Writes to standard error. */
export const stderrSink: Sink = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Appends to a file that only its owner reads. Standard error takes over when that fails. */
export function fileSink(path: string): Sink {
  const stream = createWriteStream(path, { flags: "a", mode: 0o600 });
  let failed = false;
  stream.on("error", () => {
    failed = true;
  });
  return (line) => {
    if (failed) stderrSink(line);
    else stream.write(`${line}\n`);
  };
}

/** A sink for tests that keeps its lines. */
export function memorySink(): { readonly sink: Sink; readonly lines: string[] } {
  const lines: string[] = [];
  return { sink: (line) => lines.push(line), lines };
}

/** An error in the words of a log field: its message and, one level deep, its cause. */
export function errorText(caught: unknown): string {
  if (!(caught instanceof Error)) return String(caught);
  return caught.cause instanceof Error
    ? `${caught.message} (${caught.cause.message})`
    : caught.message;
}
