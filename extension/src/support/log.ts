import type { Redactor } from "./redact.ts";

/** Facts beside a log message. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where the extension writes what happens; secrets are removed at the sink. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** The levels of a log channel that are used. */
export type LogSink = Readonly<Record<keyof Log, (line: string) => void>>;

function lineOf(message: string, fields: Fields): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? JSON.stringify(value) : value}`);
  return [message, ...facts].join(" ");
}

/** A log over a channel of the editor, which adds time and level itself. */
export function createLog(sink: LogSink, redactor: Redactor): Log {
  const write =
    (level: keyof Log) =>
    (message: string, fields: Fields = {}) =>
      sink[level](redactor.clean(lineOf(message, fields)));
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}
