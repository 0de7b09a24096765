import type { Agent } from "node:http";
import { RportError } from "@rport/protocol/errors";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { getProxyForUrl } from "proxy-from-env";
import { type ProxyUrl, parseProxyUrl } from "../config/proxyUrl.ts";
import { isInBlock, parseBlock, parseIp } from "../tunnels/ip.ts";
import { trustedAuthorities } from "./authorities.ts";
import { PinnedAgent } from "./pinnedAgent.ts";

/** What a route is looked for with. */
export interface RouteOptions {
  /** The address of a proxy; empty: what the environment names. */
  readonly configured: string;
  /** What the server's TLS key has to be; empty: what its certificate says counts. */
  readonly pins: readonly TlsPin[];
  /** Fires when nobody wants the connection any more. */
  readonly signal: AbortSignal;
}

const LOOPBACK = ["127.0.0.0/8", "::1"].flatMap((text) => parseBlock(text) ?? []);

/**
 * The way to a server through a proxy, or to one that is recognised by its key; undefined: there is nothing
 * to look after on the way. Rejects as `proxyFor` throws.
 */
export async function routeTo(url: URL, options: RouteOptions): Promise<Agent | undefined> {
  const proxy = proxyFor(url, options.configured);
  const isTls = url.protocol === "wss:" || url.protocol === "https:";
  const pins = isTls ? options.pins : [];
  if (proxy === undefined) {
    if (pins.length === 0) return undefined;
    return new PinnedAgent(url, pins);
  }
  // Most hosts need no proxy, and save the memory that the libraries take.
  const { proxyAgent } = await import("./proxyAgent.ts");
  return proxyAgent(proxy, {
    isTls,
    pins,
    authorities: proxy.url.protocol === "https:" ? await trustedAuthorities() : undefined,
    signal: options.signal,
  });
}

/** The passwords of the proxies that the environment names, which no log must show. */
export function proxySecrets(environment: NodeJS.ProcessEnv): readonly string[] {
  return Object.entries(environment).flatMap(([name, written = ""]) => {
    const proxy = /^(https?|all)_proxy$/i.test(name) ? parseProxyUrl(written) : "";
    return typeof proxy === "string" ? [] : [proxy.password, proxy.url.password];
  });
}

/**
 * The proxy on the way to an address: the configured one; else the one that the environment names
 * (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, in either case), unless `NO_PROXY` excludes the
 * address or it is this machine's own. Undefined: there is none. Throws when what the environment
 * names is no proxy.
 */
export function proxyFor(url: URL, configured: string): ProxyUrl | undefined {
  const written = configured === "" ? fromEnvironment(url) : configured;
  if (written === undefined) return undefined;
  const proxy = parseProxyUrl(written);
  if (typeof proxy !== "string") return proxy;
  throw new RportError("BAD_REQUEST", `${variableOf(written)}: the proxy it names ${proxy}`);
}

/**
 * The address of the proxy that the environment names on the way to a server, for a configuration:
 * services start in an environment of their own. Empty: there is none.
 */
export function proxyOfEnvironment(server: string): string {
  return proxyFor(new URL(server), "")?.url.href ?? "";
}

/** The variable that names a proxy, in the words of whoever set it. */
function variableOf(proxy: string): string {
  const isProxy = ([name, value = ""]: readonly [string, string | undefined]) =>
    /^(https?|all)_proxy$/i.test(name) && value !== "" && proxy.endsWith(value);
  return Object.entries(process.env).find(isProxy)?.[0] ?? "The environment";
}

function fromEnvironment(url: URL): string | undefined {
  if (isLoopback(url.hostname)) return undefined;
  const found = getProxyForUrl(url.href.replace(/^ws/, "http"));
  if (found === "") return undefined;
  // `proxy:3128` means an http proxy; the library gives it the scheme of the address instead.
  const isWhole = Object.values(process.env).includes(found);
  return isWhole ? found : found.replace(/^https:/, "http:");
}

function isLoopback(hostname: string): boolean {
  const ip = parseIp(hostname.replace(/^\[|\]$/g, ""));
  if (ip === undefined) return /(^|\.)localhost$/.test(hostname);
  return LOOPBACK.some((block) => isInBlock(ip, block));
}
