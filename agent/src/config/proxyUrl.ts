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
  const trouble = loginTrouble(written);
  if (trouble !== undefined) return trouble;
  if (!URL.canParse(written)) return "is not an address";
  const url = new URL(written);
  const kind = KINDS[url.protocol];
  if (kind === undefined) return "must begin with http, https, socks, socks5 or socks5h";
  if (url.hostname === "") return "names no host";
  if (url.pathname.length > 1 || url.search + url.hash !== "") return "must end behind the port";
  const [user, password] = [decode(url.username), decode(url.password)];
  if (user === undefined || password === undefined) return "has a login that cannot be decoded";
  const isTooLong = Math.max(Buffer.byteLength(user), Buffer.byteLength(password));
  if (kind === "socks" && isTooLong > SOCKS_LOGIN_MAX_BYTES) return "has a login that is too long";
  // RFC 7617: the first colon ends the user's name, however it is written.
  if (kind === "http" && user.includes(":")) return "has a colon in its user name";
  return { kind, url, host: url.hostname.replace(/^\[|\]$/g, ""), user, password };
}

/** What would end the login early or mean something else in it, and how it has to be written. */
const ENCODED = { "\\": "%5C", "/": "%2F", "?": "%3F", "#": "%23" } as const;

/** The parser of addresses would read another host, or another login, without a word. */
function loginTrouble(written: string): string | undefined {
  const login = /^[^:/]*:\/\/(.*)@/s.exec(written)?.[1] ?? "";
  const has = (what: string, code: string) =>
    `has a ${what} in its login, which has to be written ${code}`;
  for (const [character, code] of Object.entries(ENCODED)) {
    if (login.includes(character)) return has(character, code);
  }
  return /%(?![0-9a-f]{2})/i.test(login) ? has("%", "%25") : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
