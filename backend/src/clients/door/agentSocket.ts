import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Idle connections are probed by the system after this, so that dead ones do not stay for ever. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Answers a request to speak WebSocket with a status, and ends the connection; 0 seconds: nothing is
 * said about when to come again.
 */
export function refuse(socket: Duplex, status: string, retryAfterS = 0): void {
  const retryAfter = retryAfterS > 0 ? `Retry-After: ${retryAfterS}\r\n` : "";
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${retryAfter}Content-Length: 0\r\n\r\n`);
}

/** Sends what is small at once, and lets the system find out when nobody is there any more. */
export function tune(socket: Duplex): void {
  const { setKeepAlive, setNoDelay } = socket as Partial<Socket>;
  setKeepAlive?.call(socket, true, KEEP_ALIVE_MS);
  setNoDelay?.call(socket, true);
}
