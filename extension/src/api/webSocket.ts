import type { IncomingMessage } from "node:http";
import { CLOSE_CODES, RportError } from "@rport/protocol/errors";
import { WebSocket } from "ws";
import { describeNetworkError } from "../support/describeError.ts";
import { errorFromEnvelope } from "./http.ts";

/** Longest error body that is read when an upgrade is refused. */
const ERROR_BODY_MAX_BYTES = 16_384;
/** Longest wait for the answer to an upgrade. */
const HANDSHAKE_TIMEOUT_MS = 15_000;

/** Where a WebSocket goes. The token travels in a header, never in the address. */
export interface SocketTarget {
  /** `http:` or `https:` origin. */
  readonly url: string;
  readonly token: string;
  /** Path and query below the origin. */
  readonly path: string;
  readonly maxMessageBytes: number;
}

/** Why a WebSocket ended. */
export type SocketEnd =
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }
  | { readonly kind: "failed"; readonly error: RportError };

/** Starts a connection. `onEnd` is called exactly once, whatever happens. */
export function openSocket(target: SocketTarget, onEnd: (end: SocketEnd) => void): WebSocket {
  const url = new URL(target.path, target.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${target.token}` },
    maxPayload: target.maxMessageBytes,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    perMessageDeflate: false,
    followRedirects: false,
  });
  let failure: RportError | undefined;
  socket.on("unexpected-response", (_, response) => {
    void refusalOf(response).then((error) => {
      failure = error;
      socket.terminate();
    });
  });
  socket.on("error", (cause) => {
    failure ??= new RportError(
      "UNAVAILABLE",
      `Cannot reach ${url.host}: ${describeNetworkError(cause)}.`,
      { cause },
    );
  });
  socket.on("close", (code, reason) => {
    if (failure !== undefined) onEnd({ kind: "failed", error: failure });
    else onEnd({ kind: "closed", code, reason: reason.toString() });
  });
  return socket;
}

async function refusalOf(response: IncomingMessage): Promise<RportError> {
  let body = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      body += chunk;
      if (body.length > ERROR_BODY_MAX_BYTES) break;
    }
  } catch {
    // the status alone has to do
  }
  return errorFromEnvelope(response.statusCode ?? 0, body);
}

/** Whether the server turned the token down, at the upgrade or later. */
export function isUnauthorized(end: SocketEnd): boolean {
  if (end.kind === "closed") return end.code === CLOSE_CODES.unauthorized;
  return end.error.code === "UNAUTHORIZED";
}
