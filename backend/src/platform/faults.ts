import type { OnFault } from "@rport/protocol/wire/contain";
import { errorText, type Log } from "./log.ts";

/**
 * For what callbacks of one thing throw: tells the log that this is a fault of ours, and ends that
 * thing alone.
 */
export function endingFault(log: Log, what: string, end: () => void): OnFault {
  return (error) => {
    log.error("a fault of the server ended something", { what, reason: errorText(error) });
    end();
  };
}

/** The same where there is nothing to end. */
export function loggedFault(log: Log, what: string): OnFault {
  return (error) => log.error("a fault of the server", { what, reason: errorText(error) });
}
