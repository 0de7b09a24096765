import { type TlsPin, tlsPinSchema } from "@rport/protocol/tls/tlsPin";
import { z } from "zod";

/** Instead of an address: the backend of the same person on the same machine. */
export const LOCAL_URL = "local";
/** More entries of the setting are not read. */
const SERVERS_MAX = 50;

const entrySchema = z.object({
  name: z.string().max(100).default(""),
  url: z.string().max(500),
  fingerprint: z.string().max(64).default(""),
  /** One that is wrong makes the entry unusable: nobody is to be trusted in its place. */
  tlsPin: z.union([tlsPinSchema, z.literal("")]).default(""),
});

/** One server as the setting names it. It holds no secret. */
export interface ServerConfig {
  readonly name: string;
  /** A base URL without a slash at the end, or `local`. It is also what the token is kept under. */
  readonly url: string;
  /** The accepted server key in `SHA256:` form; empty before the first connection. */
  readonly fingerprint: string;
  /** What its TLS key is recognised by, where its certificate is its own; absent: it has to be trusted. */
  readonly tlsPin?: TlsPin | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether an address leads to this machine itself, so that plain http is safe. */
export function isLoopback(url: string): boolean {
  return LOOPBACK.test(new URL(url).hostname);
}

/**
 * The base URL of an address as people type it: `https://` is assumed, and the path stays, without
 * slashes at its end. Undefined when it is no http address, carries a user name or password, or has
 * a `?` or `#`, below which nothing can lie.
 */
export function baseUrlOf(text: string): string | undefined {
  const written = text.trim();
  const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `https://${written}`;
  if (!URL.canParse(absolute) || /[?#]/.test(absolute)) return undefined;
  const url = new URL(absolute);
  if (!["http:", "https:"].includes(url.protocol) || url.username || url.password) return undefined;
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** What a server is called as long as nobody gave it a name: its address without the scheme. */
export function nameOf(url: string): string {
  return url.replace(/^https?:\/\//, "");
}

/** The servers of the setting: unusable entries and repetitions are left out. */
export function parseServers(setting: unknown): readonly ServerConfig[] {
  const byUrl = new Map<string, ServerConfig>();
  const entries = Array.isArray(setting) ? setting.slice(0, SERVERS_MAX) : [];
  for (const entry of entries) {
    const config = parseEntry(entry);
    if (config !== undefined && !byUrl.has(config.url)) byUrl.set(config.url, config);
  }
  return [...byUrl.values()];
}

function parseEntry(entry: unknown): ServerConfig | undefined {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { name, fingerprint, tlsPin } = parsed.data;
  if (parsed.data.url === LOCAL_URL) {
    return { name: name || "Local Backend", url: LOCAL_URL, fingerprint: "" };
  }
  const url = baseUrlOf(parsed.data.url);
  if (url === undefined) return undefined;
  const pinned = tlsPin === "" ? undefined : tlsPin;
  return { name: name || nameOf(url), url, fingerprint, tlsPin: pinned };
}
