import type { IncomingMessage } from "node:http";

/** The parts of a request that say from where it was made. */
export type Site = Pick<IncomingMessage, "headers" | "rawHeaders" | "url">;

/** Names under which a program on the same machine may address a backend in local mode. */
const LOCAL_NAMES = ["127.0.0.1", "localhost", "[::1]"];
/** The ports that a `Host` header leaves out. */
const USUAL_PORTS = { http: 80, https: 443 } as const;
/** What browsers say about requests that no foreign page caused. */
const OWN_SITES = ["same-origin", "none"];

/** How a place may be addressed that only programs of the same machine reach. */
export interface LocalMode {
  /** The port that is listened on; loopback names are written with it. */
  readonly port: number;
  /** What is spoken there; absent: http. */
  readonly scheme?: "http" | "https";
  /** Names that somebody has set: a proxy on this machine passes them on, with whatever port. */
  readonly names: readonly string[];
}

/**
 * Why a request may have been caused by a web page, in words for a person; undefined when there is
 * no sign of it. In local mode the `Host` must be a loopback name with the port, or one of the names
 * that were set, so a page whose name was rebound to 127.0.0.1 gets nothing. A foreign `Origin` and
 * a cross-site fetch are refused in every mode. What proxies forward is not looked at: a page can
 * write that.
 */
export function whyForeign(site: Site, local: LocalMode | undefined): string | undefined {
  const { host, origin } = site.headers;
  const hosts = site.rawHeaders.filter((name, n) => n % 2 === 0 && name.toLowerCase() === "host");
  if (host === undefined || hosts.length !== 1) return "The request must name one Host.";
  if (local !== undefined && !isLocalHost(host, local) && !isNamed(host, local.names)) {
    return whyNotHere(local);
  }
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return "Requests from web pages of another origin are refused.";
  }
  const fetchSite = site.headers["sec-fetch-site"];
  if (fetchSite !== undefined && !OWN_SITES.includes(String(fetchSite))) {
    return "Requests from web pages of another site are refused.";
  }
  return undefined;
}

/** Whether a `Host` header is a loopback name together with the port that is listened on. */
export function isLocalHost(
  host: string,
  { port, scheme = "http" }: Pick<LocalMode, "port" | "scheme">,
): boolean {
  const written = host.toLowerCase();
  if (port === USUAL_PORTS[scheme] && LOCAL_NAMES.includes(written)) return true;
  return LOCAL_NAMES.some((name) => written === `${name}:${port}`);
}

/** Whether a `Host` header is one of these names, with or without a port. */
function isNamed(host: string, names: readonly string[]): boolean {
  const name = /^([^:[\]]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  return name !== undefined && names.includes(name);
}

/** The sentence names the remedy: whoever meets it behind a proxy has nothing else to go by. */
function whyNotHere({ port, names }: LocalMode): string {
  const served = [...LOCAL_NAMES, ...names];
  return (
    `This server is in local mode and answers on ${served.slice(0, -1).join(", ")} and ${served.at(-1)} ` +
    'only. Behind a reverse proxy, set [server] url = ["https://<its name>"], or let the proxy send ' +
    `"Host: 127.0.0.1:${port}".`
  );
}

/** Whether an `Origin` header is this server's own, under the name the request was sent to. */
function isOwnOrigin(origin: string, host: string): boolean {
  const written = origin.toLowerCase();
  const own = host.toLowerCase();
  return written === `http://${own}` || written === `https://${own}`;
}
