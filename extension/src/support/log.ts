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

/** Servers have a say in fields, such as in why an answer of theirs was none; more characters are cut. */
const FIELD_MAX = 4_000;

function lineOf(message: string, fields: Fields, cut: (text: string) => string): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      return `${name}=${typeof value === "string" ? JSON.stringify(cut(value)) : value}`;
    });
  return [cut(message), ...facts].join(" ");
}

/** A log over a channel of the editor, which adds time and level itself; long fields are cut, and say so. */
export function createLog(sink: LogSink, redactor: Redactor): Log {
  const cut = (text: string) => redactor.cut(text, FIELD_MAX);
  const write =
    (level: keyof Log) =>
    (message: string, fields: Fields = {}) =>
      sink[level](redactor.clean(lineOf(message, fields, cut)));
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}
