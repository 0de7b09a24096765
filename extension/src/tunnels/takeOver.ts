import { RportError } from "@rport/protocol/errors";
import { type Clock, pause } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";

/** A port of a process that was killed is free when the system has cleaned up behind it. */
const TAKE_OVER_TRIES = 20;
const TAKE_OVER_PAUSE_MS = 100;

/** What taking over needs. */
export interface TakeOverDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Has a tunnel reopened that another process held until now, as often as its port may still be taken by that
 * one. Never rejects: the log says why it was not taken over.
 */
export async function takeOver(
  reopen: () => Promise<unknown>,
  { clock, log }: TakeOverDeps,
): Promise<void> {
  for (let left = TAKE_OVER_TRIES; ; left -= 1) {
    try {
      await reopen();
      return;
    } catch (error) {
      if (left === 0 || !isTaken(error)) {
        log.warn("a tunnel was not taken over", { why: describeError(error) });
        return;
      }
      await pause(TAKE_OVER_PAUSE_MS, clock);
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof RportError && error.code === "ERR_CODE_LOCAL_PORT_IN_USE";
}
