import type { WebSocket } from "ws";
import type { Clock, Timer } from "../platform/clock.ts";

/** Often enough for every proxy's idle time-out, which are a minute and more. */
const INTERVAL_MS = 30_000;

/**
 * Pings a socket until it closes, and ends it when a whole interval brought no answer. A paused
 * socket cannot take an answer; there, the ping itself fails when the peer is gone.
 */
export function keepAlive(socket: WebSocket, clock: Clock): void {
  let isAlive = true;
  let timer: Timer;
  const beat = (): void => {
    if (!isAlive && !socket.isPaused) {
      socket.terminate();
      return;
    }
    isAlive = false;
    // Before anything that may fail: the next beat ends a socket that this one could not ask.
    timer = clock.after(INTERVAL_MS, beat);
    socket.ping();
  };
  timer = clock.after(INTERVAL_MS, beat);
  socket.on("pong", () => {
    isAlive = true;
  });
  socket.once("close", () => timer.cancel());
}
