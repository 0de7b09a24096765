import { basename, isAbsolute } from "node:path";
import { type TlsPin, tlsPinSchema } from "@rport/protocol/tls/tlsPin";
import { t } from "@vscode/l10n";
import { z } from "zod";

/** Instead of an address: the backend of the same person on the same machine, in its usual folder. */
export const LOCAL_URL = "local";
/** Stands before the data directory of one that has another. */
const LOCAL_PREFIX = `${LOCAL_URL}:`;
/** More entries of the setting are not read. */
export const SERVERS_MAX = 50;

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
  /** A base URL without a slash at the end, or what `isLocalUrl` says. It is also what the token is kept under. */
  readonly url: string;
  /** The accepted server key in `SHA256:` form; empty before the first connection. */
  readonly fingerprint: string;
  /** What its TLS key is recognised by, where its certificate is its own; absent: it has to be trusted. */
  readonly tlsPin?: TlsPin | undefined;
}

/** Whether it stands for a backend of the same person on the same machine. */
export function isLocalUrl(url: string): boolean {
  return url === LOCAL_URL || url.startsWith(LOCAL_PREFIX);
}

/** What stands for the backend of this person with a data directory of its own. */
export function localUrlOf(dataDir: string): string {
  return `${LOCAL_PREFIX}${dataDir}`;
}

/** The data directory that a local backend was named with; undefined: it is in its usual folder. */
export function dataDirOf(url: string): string | undefined {
  return url.startsWith(LOCAL_PREFIX) ? url.slice(LOCAL_PREFIX.length) : undefined;
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
  return url.origin + url.pathname.replace(/(?<!\/)\/+$/, "");
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
    const config = parseServer(entry);
    if (config !== undefined && !byUrl.has(config.url)) byUrl.set(config.url, config);
  }
  return [...byUrl.values()];
}

/** One entry of the setting; undefined when it cannot be used. */
export function parseServer(entry: unknown): ServerConfig | undefined {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { name, fingerprint, tlsPin } = parsed.data;
  if (isLocalUrl(parsed.data.url)) return localConfig(name, parsed.data.url);
  const url = baseUrlOf(parsed.data.url);
  if (url === undefined) return undefined;
  const pinned = tlsPin === "" ? undefined : tlsPin;
  return { name: name || nameOf(url), url, fingerprint, tlsPin: pinned };
}

/**
 * A backend of this person on the same machine, under this name or what it is called without one;
 * undefined when the folder that is named could be any. Its key is told by its endpoint file.
 */
export function localConfig(name: string, url: string): ServerConfig | undefined {
  const dataDir = dataDirOf(url);
  if (dataDir !== undefined && !isAbsolute(dataDir)) return undefined;
  const usual =
    dataDir === undefined ? t("Local Backend") : t("Local Backend ({0})", basename(dataDir));
  return { name: name || usual, url, fingerprint: "" };
}
