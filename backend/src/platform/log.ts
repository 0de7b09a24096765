import { escapedInJson } from "@rport/protocol/printable";
import { type Logger, pino } from "pino";
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
export interface LogDeps {
  readonly clock: Clock;
  readonly sink: Sink;
  readonly level?: LogLevel;
  readonly redactor?: Redactor;
}

/**
 * A log that writes one JSON object per line: `level`, `time`, `message`, then the fields. Of
 * fields with the same name, the one of the message counts. What a terminal would obey is written as
 * an escape of JSON.
 */
export function createLog(options: LogDeps): Log {
  const { clock, sink, level = "info", redactor = new Redactor() } = options;
  const writer = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${toTime(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => sink(escapedInJson(line.trimEnd())) },
  );
  return new RedactingLog(writer, redactor, {});
}

/** Takes secrets out of everything before the writer gets it. */
class RedactingLog implements Log {
  readonly #writer: Pick<Logger, LogLevel>;
  readonly #redactor: Redactor;
  readonly #fields: Fields;

  constructor(writer: Pick<Logger, LogLevel>, redactor: Redactor, fields: Fields) {
    this.#writer = writer;
    this.#redactor = redactor;
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
    return new RedactingLog(this.#writer, this.#redactor, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields: Fields = {}): void {
    // The message is a field like the others, because the writer would put it behind them.
    const line: Fields = { message: this.#redactor.text(message) };
    for (const [name, value] of Object.entries({ ...this.#fields, ...fields })) {
      if (value !== undefined) line[name] = this.#redactor.field(name, value);
    }
    this.#writer[level](line);
  }
}

/** An error in the words of a log field: its message and, one level deep, its cause. */
export function errorText(caught: unknown): string {
  if (!(caught instanceof Error)) return String(caught);
  return caught.cause instanceof Error
    ? `${caught.message} (${caught.cause.message})`
    : caught.message;
}
