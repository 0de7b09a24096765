import { Agent as HttpAgent, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { VERSION } from "@rport/protocol/version";
import { type ClientOptions, WebSocket } from "ws";
import type { AgentConfig } from "../config/config.ts";
import { connectThroughProxy } from "./proxy.ts";

/** From the first packet to the server's 101; DNS, proxy and TLS included. */
const UPGRADE_MS = 30_000;
/** One message before the login; the transport allows 16 MiB from then on. */
const FIRST_MESSAGE_BYTES = 64 << 10;
const SUBPROTOCOL = "rport-v1";

/** What of the configuration matters for the way to the server. */
export type RouteConfig = Pick<AgentConfig, "proxy" | "headers" | "hostHeader">;

/**
 * Begins a WebSocket to the server; it is still connecting. The certificate of a `wss` server is
 * verified, redirects are not followed, nothing is compressed.
 */
export function openWebSocket(url: string, config: RouteConfig): WebSocket {
  const options: ClientOptions = {
    headers: headersFor(config),
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: UPGRADE_MS,
    maxPayload: FIRST_MESSAGE_BYTES,
    agent: config.proxy === "" ? undefined : proxyAgent(url, config.proxy),
  };
  const ws = new WebSocket(url, options);
  ws.once("upgrade", (response) => {
    response.socket.setNoDelay(true);
    acceptEcho(response);
  });
  return ws;
}

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

function proxyAgent(url: string, proxy: string): HttpAgent | HttpsAgent {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === "wss:";
  const target = { host: hostname, port: Number(port || (isTls ? 443 : 80)), isTls };
  const agent = isTls ? new HttpsAgent() : new HttpAgent();
  return Object.assign(agent, {
    createConnection: connectThroughProxy(proxy, target),
  });
}
