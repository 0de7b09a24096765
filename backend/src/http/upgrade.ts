import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type RportError, toEnvelope } from "@rport/protocol/errors";

/** A request to speak WebSocket, before it is granted or refused. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Bytes that came with the request already. */
  readonly head: Buffer;
}

/** Somebody who speaks WebSocket. A place has a list of them; the first that takes a request gets it. */
export interface UpgradeDoor {
  /** Whether a request is for this door, by what its head says. */
  takes(request: IncomingMessage): boolean;
  /**
   * Grants or refuses the request, and owns its socket from now on. Where it answers with a promise
   * that fails, the socket ends.
   */
  upgrade(upgrade: UpgradeRequest): unknown;
}

/** Answers a request to speak WebSocket with an error, and ends the connection. */
export function refuseUpgrade(
  { socket }: UpgradeRequest,
  error: RportError,
  retryAfterS = error.retryAfterS ?? 0,
): void {
  const body = JSON.stringify(toEnvelope(error));
  const lines = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}`,
    "Connection: close",
    "Cache-Control: no-store",
    "Content-Type: application/json; charset=UTF-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfterS > 0 ? [`Retry-After: ${retryAfterS}`] : []),
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
