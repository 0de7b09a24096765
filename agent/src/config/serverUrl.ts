const SCHEMES: Readonly<Record<string, "ws" | "wss">> = {
  http: "ws",
  ws: "ws",
  https: "wss",
  wss: "wss",
};
const DEFAULT_PORT = { ws: 80, wss: 443 } as const;

/** A server's address in its one normal form, `ws://host:port/path/`, or why the text is none. */
export type ServerUrl = { readonly ok: true; readonly url: string } | NoServerUrl;

interface NoServerUrl {
  readonly ok: false;
  readonly reason: string;
}

/**
 * Normalises a server address: no scheme means http; http becomes ws and https wss; the port is
 * always written, 80 or 443 when none was given; a path ends with a slash, because proxies answer
 * the one without it by a redirect, which no WebSocket follows. The reason never repeats the text,
 * which might carry a password.
 */
export function normaliseServerUrl(written: string): ServerUrl {
  const text = written.trim();
  const parsed = tryUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (parsed === undefined) return { ok: false, reason: "is not an address" };
  const scheme = SCHEMES[parsed.protocol.slice(0, -1)];
  if (scheme === undefined) return { ok: false, reason: "must begin with http, https, ws or wss" };
  if (parsed.username !== "" || parsed.password !== "") {
    return { ok: false, reason: "must not contain a user name or password" };
  }
  if (parsed.hostname === "") return { ok: false, reason: "names no host" };
  if (parsed.port === "0") return { ok: false, reason: "names port 0, where nobody listens" };
  if (parsed.hash !== "") return { ok: false, reason: "must not have a # in it" };
  const port = parsed.port === "" ? DEFAULT_PORT[scheme] : parsed.port;
  const path = parsed.pathname.endsWith("/") ? parsed.pathname : `${parsed.pathname}/`;
  const url = `${scheme}://${parsed.hostname}:${port}${path}${parsed.search}`;
  return { ok: true, url };
}

function tryUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
