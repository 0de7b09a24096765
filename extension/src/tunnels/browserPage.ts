import { createHash } from "node:crypto";
import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { isLoopback, LOCAL_HOST } from "../model/tunnels/localHost.ts";
import type { LocalTunnel } from "./localTunnel.ts";

/** What the other end of a tunnel is known by. */
export type OtherEnd = Pick<LocalTunnel, "serverKey" | "clientId" | "clientName" | "remote">;

/** What tells under which address a browser gets a tunnel's page. */
export interface PageDeps {
  /** Whether the person wants a name for each host. */
  readonly wantsNames: () => boolean;
  /** Where the editor has an address of this computer answer; the same where it forwards nothing. */
  readonly forwarded: (url: string) => Promise<string>;
  /** Whether the browser finds such a name. */
  readonly finds: (name: string) => Promise<boolean>;
  /** Whether something else answers under such a name at a port. */
  readonly isTaken: (port: number) => Promise<boolean>;
}

/** Where a host means itself. */
const HOST_ITSELF = new Set(["127.0.0.1", "localhost", "::1", ""]);
/** With hyphen and hash a label of a name has 63 characters at the most. */
const READABLE_MAX = 38;
/** 96 bits: nobody makes a host whose name is that of another one. */
const HASH_DIGITS = 24;
/** How long this computer may take to refuse a connection to itself. */
const LOOK_MS = 500;

/**
 * A name of this computer for what a tunnel leads to: browsers keep cookies and storage by name, whatever
 * the port is. It is always the same for one machine, seen from one host of one server, as long as the host
 * is called the same; and never that of another one, whatever that calls itself.
 */
export function browserName({ serverKey, clientId, clientName, remote }: OtherEnd): string {
  const host = HOST_ITSELF.has(remote.host) ? "" : remote.host.toLowerCase();
  const subject = JSON.stringify([serverKey, clientId, host]);
  const hash = createHash("sha256").update(subject).digest("hex").slice(0, HASH_DIGITS);
  // Two hyphens in a row could be read as the mark of an encoded name.
  const readable = `${host} ${clientName}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, READABLE_MAX)
    .replace(/-$/, "");
  return `${readable === "" ? "" : `${readable}-`}${hash}.localhost`;
}

/**
 * The address under which a browser gets the page of a tunnel that answers at `url`: with a name of the
 * host's own, or `url` itself where that would not lead there.
 */
export async function pageUrl(url: string, tunnel: LocalTunnel, deps: PageDeps): Promise<string> {
  const { localHost = LOCAL_HOST, localPort } = tunnel;
  if (localHost !== LOCAL_HOST || !deps.wantsNames()) return url;
  const name = browserName(tunnel);
  if ((await deps.forwarded(url)) !== url) return url;
  if (!(await deps.finds(name)) || (await deps.isTaken(localPort))) return url;
  return url.replace(LOCAL_HOST, name);
}

/** The address of what a host calls `rest`, its path, query and fragment, below the root that has the page of a tunnel. */
export function pageAt(root: string, rest: string): string {
  return root + (rest.startsWith("/") ? rest.slice(1) : rest);
}

/**
 * Whether the browser of a system finds names below `localhost`. Chromium and Firefox need nobody for that;
 * Safari asks its system, which need not know them.
 */
export async function findsNames(platform: NodeJS.Platform, name: string): Promise<boolean> {
  if (platform !== "darwin") return true;
  return lookup(name).then(
    ({ address }) => isLoopback(address),
    () => false,
  );
}

/** Whether something answers on `::1`, which a browser may try before 127.0.0.1. */
export function answersOnIpv6(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: "::1", port, timeout: LOOK_MS });
  const end = (answers: boolean) => () => {
    socket.destroy();
    resolve(answers);
  };
  socket.once("connect", end(true));
  socket.once("error", end(false));
  // What neither takes nor refuses a connection to this computer is there.
  socket.once("timeout", end(true));
  return promise;
}
