import type { ClientRequest, IncomingMessage } from "node:http";
import { SUBPROTOCOL } from "@rport/protocol/agent";
import { boundHead } from "@rport/protocol/asking/boundedHead";
import { VERSION } from "@rport/protocol/version";
import { type ClientOptions, WebSocket } from "ws";
import type { AgentConfig } from "../config/config.ts";
import type { Clock } from "../platform/clock.ts";
import { trustedAuthorities } from "./authorities.ts";
import { routeTo } from "./proxy.ts";

/** From the first packet to the server's 101; DNS, proxy, TLS and whatever is sent before included. */
const UPGRADE_MS = 30_000;
/** One message before the login, and its pieces; the transport allows 256 KiB from then on. */
const FIRST_MESSAGE_BYTES = 64 << 10;
const FIRST_FRAGMENTS = 1_024;
const FIRST_CHUNKS = 4_096;

/** What of the configuration matters for the way to the server. */
export type RouteConfig = Pick<AgentConfig, "proxy" | "tlsPins" | "headers" | "hostHeader">;

/**
 * Begins a WebSocket to the server, through a proxy when there is one on the way; it is still
 * connecting. The certificate of a `wss` server is verified, or its key is a pinned one, redirects are not followed, nothing is
 * compressed. It ends with an error when its answer takes longer than 30 seconds, or more than 64 KiB come before
 * it. Rejects when what the environment names as a proxy is none.
 */
export async function openWebSocket(
  server: string,
  config: RouteConfig,
  clock: Pick<Clock, "after">,
): Promise<WebSocket> {
  const url = new URL(server);
  const over = new AbortController();
  const authorities = url.protocol === "wss:" ? await trustedAuthorities() : undefined;
  const agent = await routeTo(url, {
    configured: config.proxy,
    pins: config.tlsPins,
    signal: over.signal,
  });
  const options: ClientOptions = {
    headers: headersFor(config),
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: FIRST_MESSAGE_BYTES,
    maxFragments: FIRST_FRAGMENTS,
    maxBufferedChunks: FIRST_CHUNKS,
    generateMask: keepZeros,
    finishRequest: (request, ws) => finishIn(clock, request, ws),
  };
  if (authorities !== undefined) options.ca = authorities;
  if (agent !== undefined) options.agent = agent;
  const ws = new WebSocket(url, options);
  ws.once("upgrade", (response) => {
    response.socket.setNoDelay(true);
    acceptEcho(response);
  });
  ws.once("unexpected-response", (request, { statusCode }) =>
    request.destroy(new Error(`the server answered ${statusCode}`)),
  );
  ws.once("close", () => over.abort());
  return ws;
}

/** The library's own limit begins anew with each byte that comes. */
function finishIn(clock: Pick<Clock, "after">, request: ClientRequest, ws: WebSocket): void {
  const late = clock.after(UPGRADE_MS, () => {
    request.destroy(new Error(`no answer in ${UPGRADE_MS / 1_000} seconds`));
  });
  for (const event of ["open", "close"] as const) ws.once(event, () => late.cancel());
  boundHead(request, ["upgrade", "response"]).end();
}

/**
 * The mask of each frame stays four zeros, which change nothing, so both ends skip the work: it
 * costs more than the encryption. Masks keep attackers from choosing the bytes that proxies see; in
 * our frames are SSH's key exchange and then ciphertext, which nobody can choose.
 */
function keepZeros(_mask: Buffer): void {}

/**
 * Some servers echo the sub-protocol, rportd does not; the library would refuse one or the other.
 * It looks at the headers after this.
 */
function acceptEcho(response: IncomingMessage): void {
  const name = "sec-websocket-protocol";
  if (response.headers[name] === SUBPROTOCOL) delete response.headers[name];
}

/**
 * The sub-protocol goes in as a header: RPort's server does not echo it, and as an argument the
 * library would insist on that.
 */
function headersFor(config: RouteConfig): Record<string, string> {
  const own = Object.fromEntries(config.headers.map(({ name, value }) => [name, value]));
  const host = config.hostHeader === "" ? {} : { Host: config.hostHeader };
  return {
    "User-Agent": `rport ${VERSION}`,
    ...own,
    ...host,
    "Sec-WebSocket-Protocol": SUBPROTOCOL,
  };
}
