import { guarded, type OnFault } from "@rport/protocol/wire/contain";

/**
 * Calls `run` once, when everything has been read that had arrived by now: after the next turn of the
 * event loop is complete. Who is about to be judged by his silence may have spoken while the process
 * did something else, and his bytes lie unread. `onFault` is told what `run` throws.
 */
export function afterReading(onFault: OnFault, run: () => unknown): void {
  // The first immediate ends the turn that is under way; a turn that reads lies between the two.
  setImmediate(() => setImmediate(guarded(onFault, run)));
}
