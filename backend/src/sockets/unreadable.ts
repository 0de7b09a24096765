import type { Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Limits } from "../limits/limits.ts";
import type { Log } from "../platform/log.ts";
import type { LogBursts } from "../platform/logBursts.ts";
import { unmapped } from "../platform/network.ts";

/** What Node's parser says, and what such a request is answered; the others are malformed. */
const STATUS = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "413 Payload Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);
const MALFORMED = "400 Bad Request";
/** How the codes of Node's parser begin. The others are of connections that broke. */
const PARSER = "HPE_";

/** What the refusal of such requests needs. */
export interface UnreadableDeps {
  /** Whether an answer on the connection has begun already. */
  readonly isAnswering: (socket: Duplex) => boolean;
  readonly limits: Pick<Limits, "max">;
  readonly log: Pick<Log, "debug" | "info" | "warn" | "error">;
  /** Takes the lines that anybody can cause. */
  readonly strangers: Pick<LogBursts, "note">;
}

/**
 * Answers requests that are no HTTP, are too large, or did not come in time, as Node would, and ends
 * their connections. Node would do so unseen; here the log says it.
 */
export function refuseUnreadable(server: Server, deps: UnreadableDeps): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const status = statusOf(error.code);
    // What comes behind it is an error again, of a connection that is ending.
    if (status === undefined || !(socket instanceof Socket) || !socket.writable) {
      socket.destroy();
      return;
    }
    // Who connects in advance, and then needs nothing, is no news.
    if (socket.bytesRead > 0) note(socket, { status, reason: error.code }, deps);
    if (deps.isAnswering(socket)) socket.destroy();
    else end(socket, status, deps);
  });
}

/** Undefined: there is nobody any more who could be answered. */
function statusOf(code = ""): string | undefined {
  return STATUS.get(code) ?? (code.startsWith(PARSER) ? MALFORMED : undefined);
}

function end(socket: Socket, status: string, { limits }: UnreadableDeps): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  socket.setTimeout(limits.max("response_stall_ms")).on("timeout", () => socket.destroy());
  socket.destroySoon();
}

function note(
  socket: Socket,
  { status, reason }: { readonly status: string; readonly reason: string | undefined },
  { log, strangers }: UnreadableDeps,
): void {
  const address = unmapped(socket.remoteAddress ?? "");
  const fields = { address, status: Number.parseInt(status, 10), reason };
  strangers.note({ level: "info", message: "request could not be read", log, address, fields });
}
