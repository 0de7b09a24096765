import type { IncomingHttpHeaders } from "node:http";

/** How a caller reached the proxies in front, as the outermost of them tells it. */
interface Told {
  readonly scheme: "http" | "https";
  readonly host: string;
  /** Empty: not told. */
  readonly port: string;
  /** Below which path; empty, or with a slash at its beginning and none at its end. */
  readonly prefix: string;
}

/** A request, as it reached this server itself. */
export interface Reached {
  readonly headers: IncomingHttpHeaders;
  /** It came by TLS. */
  readonly isSecure: boolean;
}

/** A name, or an address, with or without a port. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::[1-9]\d{0,4})?$/i;
const PORT = /^(?:[1-9]\d{0,4})?$/;
const PREFIX = /^(?:\/[A-Za-z0-9._~%-]+){0,16}\/?$/;
const USUAL_PORTS = { http: "80", https: "443" } as const;
/** Some proxies name the scheme of a WebSocket. */
const SCHEMES: ReadonlyMap<string, Told["scheme"]> = new Map([
  ["http", "http"],
  ["ws", "http"],
  ["https", "https"],
  ["wss", "https"],
]);

/**
 * `http(s)://host[:port][/path]` under which a request reached this server: as its `Host`
 * says and what was spoken, or the proxies in front. `proxies` of them, from the right of each list, are to be believed; 0: none.
 * What they tell counts as a whole or, where a part of it cannot be, not at all.
 */
export function reachedAt({ headers, isSecure }: Reached, proxies: number): string {
  const own = isSecure ? "https" : "http";
  const told = proxies === 0 ? undefined : toldBy(headers, own, proxies);
  if (told === undefined) return `${own}://${headers.host ?? ""}`;
  const { scheme, host, port, prefix } = told;
  const isSaid = port === "" || port === USUAL_PORTS[scheme] || /:\d+$/.test(host);
  return `${scheme}://${host}${isSaid ? "" : `:${port}`}${prefix}`;
}

function toldBy(
  headers: IncomingHttpHeaders,
  own: Told["scheme"],
  proxies: number,
): Told | undefined {
  const said = (name: string): string => outermost(headers[name], proxies);
  const scheme = SCHEMES.get(said("x-forwarded-proto").toLowerCase() || own);
  const host = said("x-forwarded-host") || (headers.host ?? "");
  const port = said("x-forwarded-port");
  const prefix = said("x-forwarded-prefix");
  if (scheme === undefined || !HOST.test(host)) return undefined;
  if (!PORT.test(port) || !PREFIX.test(prefix)) return undefined;
  return { scheme, host, port, prefix: prefix.replace(/\/$/, "") };
}

/** Each proxy appends to a list, or replaces it by its own word: what stands further left is not theirs. */
function outermost(header: string | string[] | undefined, proxies: number): string {
  const words = String(header ?? "").split(",");
  return words.at(-Math.min(proxies, words.length))?.trim() ?? "";
}
