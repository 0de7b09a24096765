import type { Socket } from "node:net";
import { systemClock } from "../../support/clock.ts";

/**
 * Ends a connection with `ETIMEDOUT` unless it is over within so many milliseconds, from the look-up of its name
 * on: a time-out of the socket's own begins anew with each of its steps.
 */
export function endLate(socket: Socket, withinMs: number): void {
  const timer = systemClock.after(withinMs, () => {
    const late = new Error(`no answer in ${withinMs / 1_000} s`);
    socket.destroy(Object.assign(late, { code: "ETIMEDOUT" }));
  });
  socket.once("close", () => timer.cancel());
}
