import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import proxyAddr from "proxy-addr";
import { addressRule } from "../../platform/addressRule.ts";
import type { Log } from "../../platform/log.ts";
import { isLoopback, unmapped } from "../../platform/network.ts";
import { reachedAt } from "./reachedAt.ts";

/** Where a request comes from. */
export interface Peer {
  /** IPv4 in its plain form, also on a socket that takes both families. */
  readonly address: string;
  /** It came through a proxy that we were not told of: many callers may have this one address. */
  readonly isShared: boolean;
  /** `http(s)://host[:port][/path]` under which the caller reached this server, or a proxy of it. */
  readonly origin: string;
}

/** Tells where a request comes from. */
export type PeerOf = (request: IncomingMessage) => Peer;

/** An address in `X-Forwarded-For`; some proxies write the port, too. */
const HOP = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/;

/**
 * Whether many callers may stand behind an address: it is one of the proxies in front, or, where
 * none are set, a program on this machine, which may be one that we were not told of.
 */
export function proxyRule(trustedProxies: readonly string[]): (address: string) => boolean {
  return trustedProxies.length === 0 ? isLoopback : addressRule([...trustedProxies]);
}

/**
 * The one place that says from where somebody calls, and under which address. `X-Forwarded-For`
 * counts only as far as `trustedProxies` (addresses and networks) wrote it: the right-most hop that
 * is none of them is the caller. What they say besides of scheme, host, port and path counts together
 * with it. When a program on this machine sends that header and no proxies are set, the log says
 * once what to set.
 */
export function createPeerOf(trustedProxies: readonly string[], log: Log): PeerOf {
  const isAddressOfProxy = addressRule([...trustedProxies]);
  const isProxy = (hop: string): boolean => isAddressOfProxy(readHop(hop) ?? "");
  const isConfigured = trustedProxies.length > 0;
  let hasWarned = false;
  return (request) => {
    const direct = unmapped(request.socket.remoteAddress ?? "");
    const reached = { headers: request.headers, isSecure: isSecure(request) };
    const origin = reachedAt(reached, 0);
    if (request.headers["x-forwarded-for"] === undefined) {
      return { address: direct, isShared: false, origin };
    }
    if (isConfigured) {
      // Whoever wrote no address stands for whatever is behind it.
      const hops = proxyAddr.all(request, isProxy).map(readHop);
      const address = hops.findLast((hop) => hop !== undefined) ?? direct;
      return { address, isShared: false, origin: reachedAt(reached, hops.length - 1) };
    }
    const isShared = isLoopback(direct);
    if (isShared && !hasWarned) {
      hasWarned = true;
      log.warn("a proxy on this machine forwards requests, and all of them count as its own", {
        address: direct,
        set: `[server] trusted_proxies = ["${direct}"]`,
      });
    }
    return { address: direct, isShared, origin };
  };
}

/** Whether a request came by TLS to this server itself. */
export function isSecure({ socket }: Pick<IncomingMessage, "socket">): boolean {
  return socket instanceof TLSSocket;
}

/** An address as a hop wrote it, in its plain form; undefined when it is none. */
function readHop(text: string): string | undefined {
  const written = text.trim();
  if (isIP(written) !== 0) return unmapped(written);
  const parts = HOP.exec(written);
  const address = parts?.[1] ?? parts?.[2] ?? "";
  return isIP(address) === 0 ? undefined : unmapped(address);
}
