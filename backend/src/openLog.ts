import { LogOutput } from "@rport/protocol/logOutput";
import type { Config } from "./config/config.ts";
import type { Limits } from "./limits/limits.ts";
import { LIMITS } from "./limits/limitTable.ts";
import { systemClock } from "./platform/clock.ts";
import { createLog, errorText, type Log } from "./platform/log.ts";
import { openLogFile } from "./platform/logFile.ts";

/** A log, and where it goes. */
export interface OpenLog {
  readonly log: Log;
  readonly output: LogOutput;
  /** From now on these limits count when the log's buffer was full, and know its use. */
  watchedBy(limits: Pick<Limits, "bite" | "watch">): void;
}

/** Opens the log of a configuration. One that cannot be opened goes to standard error, and says so. */
export function openLog({ logging, limits }: Pick<Config, "logging" | "limits">): OpenLog {
  const { level, file } = logging;
  let watching: Pick<Limits, "bite"> | undefined;
  const output = new LogOutput({
    openFile: file === undefined ? undefined : () => openLogFile(file),
    stderr: process.stderr,
    maxBytes: limits.log_buffer_bytes ?? LIMITS.log_buffer_bytes.usual,
    clock: systemClock,
  });
  const log = createLog({ clock: systemClock, level, sink: (line) => output.write(line) });
  output.start({
    onDropped(lines) {
      log.warn("lines of the log were dropped, because nobody took them", { lines });
      watching?.bite("log_buffer_bytes", { lines });
    },
    onFileFailed(error) {
      const reason = errorText(error);
      log.error("the log file cannot be written, so the log goes on here", { file, reason });
    },
  });
  return {
    log,
    output,
    watchedBy(given) {
      watching = given;
      given.watch("log_buffer_bytes", () => output.waitingBytes);
    },
  };
}
