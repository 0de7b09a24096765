import { RportError } from "./errors.ts";

/** A place to connect to. */
export interface HostPort {
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const HOST_MAX = 255;
const HOST = /^[A-Za-z0-9._:%-]+$/;

function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/**
 * Parses `port`, `host:port` or `[v6]:port`; a port alone means 127.0.0.1, as in RPort.
 * Returns undefined when the text is none of these.
 */
export function parseHostPort(text: string, defaultHost = "127.0.0.1"): HostPort | undefined {
  const colon = text.lastIndexOf(":");
  const port = parsePort(text.slice(colon + 1));
  if (port === undefined) return undefined;
  if (colon < 0) return { host: defaultHost, port };
  const written = text.slice(0, colon);
  const bracketed = written.startsWith("[") && written.endsWith("]");
  const host = bracketed ? written.slice(1, -1) : written;
  if (host === "" || host.length > HOST_MAX || !HOST.test(host)) return undefined;
  if (host.includes(":") && !bracketed) return undefined;
  return { host, port };
}

/** Like `parseHostPort`, but throws `BAD_REQUEST` naming the text. */
export function requireHostPort(text: string, what: string): HostPort {
  const parsed = parseHostPort(text);
  if (parsed !== undefined) return parsed;
  throw new RportError(
    "BAD_REQUEST",
    `The ${what} ${JSON.stringify(text.slice(0, 80))} is neither a port nor host:port.`,
  );
}

/** Writes a place as `host:port`, IPv6 in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
