import { LogOutput } from "@rport/protocol/logOutput";
import { openLogStream } from "@rport/protocol/logStream";
import { escapedInJson } from "@rport/protocol/printable";
import type { Clock } from "./clock.ts";
import { LogBursts } from "./logBursts.ts";

/** From the fewest lines to the most. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
/** How important a line is. */
export type LogLevel = (typeof LOG_LEVELS)[number];
/** What belongs to a line, beside its sentence. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * One JSON object per line, without what a terminal would obey; secrets that were made known never get out. `message` is a sentence of
 * ours and always the same, what differs is a field: of each sentence there are only so many lines
 * a minute.
 */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** From now on this text is written as `[redacted]` wherever it appears. */
  hide(secret: string): void;
  /** The same for a secret that the server hands out: it may do so for ever, so the newest count. */
  hideOffered(secret: string): void;
}

/** Where lines go, and which. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  write(line: string): void;
}

/** Hiding shorter texts would make lines unreadable without protecting anything. */
const HIDDEN_MIN = 4;
/** The one that is used, the one before, which the server may still take, and the next. */
const OFFERED_MAX = 3;
const REDACTED = "[redacted]";

/** A log over any sink. */
export function createLog(options: LogOptions): Log {
  const hidden = new Set<string>();
  let offered: readonly string[] = [];
  const highest = LOG_LEVELS.indexOf(options.level);
  const bursts = new LogBursts(() => options.clock.monotonic());
  const put = (said: object) => {
    const time = new Date(options.clock.now()).toISOString();
    let line = JSON.stringify({ time, ...said });
    for (const secret of [...hidden, ...offered]) line = line.replaceAll(secret, REDACTED);
    options.write(`${escapedInJson(line)}\n`);
  };
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(level) > highest) return;
    for (const burst of bursts.takeEnded()) put({ level: "warn", ...burst });
    if (bursts.admits(message)) put({ level, message, ...fields });
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
    hideOffered(secret) {
      offered = [...offered.filter((one) => one !== secret), secret].slice(-OFFERED_MAX);
    },
  };
}

/** Lines that wait for who reads them: more are dropped, and counted. */
const WAITING_MAX_BYTES = 1_048_576;

/** A log, and where it goes. */
export interface OpenLog {
  readonly log: Log;
  readonly output: LogOutput;
}

/**
 * A log on standard error (`file` is empty), or in a file that is appended to and created for its
 * owner alone. A file that cannot be opened or written is told on standard error, where the log
 * then goes on: it keeps no host off line.
 */
export function openLog(
  file: string,
  { level, clock }: Omit<LogOptions, "write"> & { readonly clock: Clock },
): OpenLog {
  const openFile = () => openLogStream(file);
  const output = new LogOutput({
    openFile: file === "" ? undefined : openFile,
    stderr: process.stderr,
    maxBytes: WAITING_MAX_BYTES,
    clock,
  });
  const log = createLog({ level, clock, write: (line) => output.write(line.trimEnd()) });
  output.start({
    onDropped: (lines) =>
      log.warn("lines of the log were dropped, because nobody took them", { lines }),
    onFileFailed: ({ message: reason }) =>
      log.error("the log file cannot be written, so the log goes on here", { file, reason }),
  });
  return { log, output };
}
