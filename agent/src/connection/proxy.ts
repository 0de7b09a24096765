import { type IncomingMessage, request } from "node:http";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

/** Time the proxy gets to reach the server. */
const CONNECT_MS = 30_000;

/** The server behind the proxy. */
export interface ProxyTarget {
  /** A name or an address; IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

type OnConnected = (error: Error | null, socket: Duplex) => void;

/**
 * A `createConnection` for an HTTP agent that goes through an HTTP proxy with CONNECT. User and
 * password in the proxy's address are sent as Basic; only status 200 is success. With TLS the
 * server's certificate is verified as without a proxy.
 */
export function connectThroughProxy(proxy: string, target: ProxyTarget) {
  return (_options: object, onConnected: OnConnected): undefined => {
    const fail = (text: string) => onConnected(new Error(text), undefined as never);
    const authority = `${target.host}:${target.port}`;
    const connecting = request(proxyRequest(new URL(proxy), authority));
    connecting.setTimeout(CONNECT_MS, () => connecting.destroy(new Error("the proxy is silent")));
    connecting.on("error", (error) => fail(`proxy: ${error.message}`));
    connecting.once("response", (answer) => fail(`the proxy answered ${answer.statusCode}`));
    connecting.once("connect", (answer: IncomingMessage, socket: Socket) => {
      socket.setTimeout(0);
      if (answer.statusCode === 200) {
        onConnected(null, target.isTls ? wrap(socket, target.host) : socket);
        return;
      }
      socket.destroy();
      fail(`the proxy answered ${answer.statusCode} ${answer.statusMessage ?? ""}`.trim());
    });
    connecting.end();
  };
}

function proxyRequest(proxy: URL, authority: string) {
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const basic = `Basic ${Buffer.from(login).toString("base64")}`;
  const headers = { Host: authority, "Proxy-Authorization": basic };
  return {
    host: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: proxy.port || "80",
    method: "CONNECT",
    path: authority,
    headers: login === ":" ? { Host: authority } : headers,
    agent: false,
  } as const;
}

function wrap(socket: Socket, host: string): Duplex {
  const name = host.replace(/^\[|\]$/g, "");
  const servername = isIP(name) === 0 ? { servername: name } : { host: name };
  return connectTls({ socket, ...servername });
}
