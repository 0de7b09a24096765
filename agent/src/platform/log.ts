import { closeSync, openSync, writeSync } from "node:fs";
import type { Clock } from "./clock.ts";

/** From the fewest lines to the most. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
/** How important a line is. */
export type LogLevel = (typeof LOG_LEVELS)[number];
/** What belongs to a line, beside its sentence. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** One JSON object per line; secrets that were made known never get out. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** From now on this text is written as `[redacted]` wherever it appears. */
  hide(secret: string): void;
}

/** Where lines go, and which. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly clock: Pick<Clock, "now">;
  write(line: string): void;
}

/** Hiding shorter texts would make lines unreadable without protecting anything. */
const HIDDEN_MIN = 4;
const REDACTED = "[redacted]";

/** A log over any sink. */
export function createLog(options: LogOptions): Log {
  const hidden = new Set<string>();
  const highest = LOG_LEVELS.indexOf(options.level);
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(level) > highest) return;
    const time = new Date(options.clock.now()).toISOString();
    let line = JSON.stringify({ time, level, message, ...fields });
    for (const secret of hidden) line = line.replaceAll(secret, REDACTED);
    options.write(`${line}\n`);
  };
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    hide(secret) {
      if (secret.length < HIDDEN_MIN) return;
      hidden.add(secret);
      hidden.add(JSON.stringify(secret).slice(1, -1));
    },
  };
}

/** The place a log is written to; `close` when the program ends. */
export interface LogSink extends Disposable {
  write(line: string): void;
}

/** Standard error, or a file that is appended to and created for its owner alone. */
export function openLogSink(file: string): LogSink {
  if (file === "") {
    return { write: (line) => void process.stderr.write(line), [Symbol.dispose]: () => {} };
  }
  const handle = openSync(file, "a", 0o600);
  return {
    write: (line) => void writeSync(handle, line),
    [Symbol.dispose]: () => closeSync(handle),
  };
}
