import type { ConnectionState } from "../model/connectionState.ts";
import type { Log } from "../support/log.ts";

/** Later attempts are told of to those only who ask for more. */
const ATTEMPTS_TOLD = 5;

/**
 * Tells the log where the connection to a server stands. One that stays away is tried again and again,
 * which is worth a few lines only.
 */
export function tellConnection(log: Log, server: string, state: ConnectionState): void {
  const reason = state.kind === "waiting" ? state.reason : undefined;
  const facts = { server, state: state.kind, reason };
  const isTold = "attempt" in state && state.attempt > ATTEMPTS_TOLD;
  if (isTold) log.debug("connection", facts);
  else log.info("connection", facts);
}

/** Tells the log that the clock of a server is another one than this computer's, where it is. */
export function tellClock(log: Log, server: string, aheadMs: number): void {
  if (aheadMs === 0) return;
  const seconds = Math.round(aheadMs / 1_000);
  log.info("its clock differs: times are told by it", { server, secondsAhead: seconds });
}
