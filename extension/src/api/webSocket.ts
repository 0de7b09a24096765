import type { IncomingMessage } from "node:http";
import { boundHead } from "@rport/protocol/asking/boundedHead";
import { CLOSE_CODES, RportError } from "@rport/protocol/errors";
import type { OneConnection } from "@rport/protocol/local/oneConnection";
import { errorFromEnvelope } from "@rport/protocol/restClient";
import { t } from "@vscode/l10n";
import { type ClientOptions, WebSocket } from "ws";
import { describeNetworkError } from "../support/describeError.ts";
import type { ReadyAccess } from "./access.ts";
import { addressBelow } from "./address.ts";

/** Longest error body that is read when an upgrade is refused. */
const ERROR_BODY_MAX_BYTES = 16_384;
/** Longest wait for the answer to an upgrade: a server that takes half a minute is slow, not away. */
const HANDSHAKE_TIMEOUT_MS = 40_000;

/** The form of a socket file, though there is none: only such requests keep the agent they have. */
const NO_FILE = "ws+unix:///proven";

/** Where a WebSocket goes. What opens it travels in a header, never in the address. */
export interface SocketTarget {
  readonly access: ReadyAccess;
  /** Path and query below the base URL. */
  readonly path: string;
  readonly maxMessageBytes: number;
}

/** Why a WebSocket ended. */
export type SocketEnd =
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }
  | { readonly kind: "failed"; readonly error: RportError };

/** Starts a connection. `onEnd` is called exactly once, whatever happens. */
export function openSocket(target: SocketTarget, onEnd: (end: SocketEnd) => void): WebSocket {
  const { host } = new URL(target.access.url);
  const socket = startSocket(target);
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
      t("Cannot reach {0}: {1}.", host, describeNetworkError(cause)),
      { cause },
    );
  });
  socket.on("close", (code, reason) => {
    if (failure !== undefined) onEnd({ kind: "failed", error: failure });
    else onEnd({ kind: "closed", code, reason: reason.toString() });
  });
  return socket;
}

function startSocket({ access, path, maxMessageBytes }: SocketTarget): WebSocket {
  const { authorization, ca, connection, url } = access;
  const options: ClientOptions = {
    maxPayload: maxMessageBytes,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    perMessageDeflate: false,
    followRedirects: false,
    headers: { authorization },
    finishRequest: (request) => void boundHead(request, ["upgrade", "response"]).end(),
  };
  if (connection !== undefined) {
    const { pathname, search } = addressBelow(url, path);
    const rest = (pathname + search).replaceAll(":", "%3A");
    return new WebSocket(`${NO_FILE}:${rest}`, keptTo(connection, options));
  }
  const remote = addressBelow(url, path);
  remote.protocol = remote.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(remote, ca === undefined ? options : { ...options, ca: [...ca] });
}

/** The editor replaces the agent of requests by its own; one that it did is not sent. */
function keptTo(connection: OneConnection, options: ClientOptions): ClientOptions {
  return {
    ...options,
    agent: connection,
    headers: { ...options.headers, host: connection.host },
    finishRequest(request, ws) {
      if ("agent" in request && request.agent === connection) options.finishRequest?.(request, ws);
      else request.destroy(new Error("it would leave the connection that is known"));
    },
  };
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
