/** The kinds of proxies, by the scheme of their address; `socks5h` lets the proxy look names up. */
const KINDS: Readonly<Record<string, "http" | "socks">> = {
  "http:": "http",
  "https:": "http",
  "socks:": "socks",
  "socks5:": "socks",
  "socks5h:": "socks",
};
/** What SOCKS5 has room for (RFC 1929). */
const SOCKS_LOGIN_MAX_BYTES = 255;

/** The address of a proxy, taken apart. */
export interface ProxyUrl {
  readonly kind: "http" | "socks";
  readonly url: URL;
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  /** Decoded; empty: none. */
  readonly user: string;
  readonly password: string;
}

/**
 * Parses a proxy's address; a text that is none comes back as the reason, which never repeats it,
 * because it may hold a password.
 */
export function parseProxyUrl(written: string): ProxyUrl | string {
  if (!URL.canParse(written)) return "is not an address";
  const url = new URL(written);
  const kind = KINDS[url.protocol];
  if (kind === undefined) return "must begin with http, https, socks, socks5 or socks5h";
  if (url.hostname === "") return "names no host";
  if (url.pathname.length > 1 || url.search !== "") return "must end behind the port";
  const [user, password] = [decode(url.username), decode(url.password)];
  if (user === undefined || password === undefined) return "has a login that cannot be decoded";
  const isTooLong = Math.max(Buffer.byteLength(user), Buffer.byteLength(password));
  if (kind === "socks" && isTooLong > SOCKS_LOGIN_MAX_BYTES) return "has a login that is too long";
  return { kind, url, host: url.hostname.replace(/^\[|\]$/g, ""), user, password };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
