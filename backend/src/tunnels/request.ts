import { isIP } from "node:net";
import { RportError } from "@rport/protocol/errors";
import type { EndpointInput } from "@rport/protocol/http";
import { type HostPort, requireHostPort } from "@rport/protocol/remote";
import type { Sharer } from "../limits/sharer.ts";
import type { PortRanges } from "../platform/portRanges.ts";
import type { StoredTunnel } from "../store/records/clientRecord.ts";
import { type Acl, parseAcl } from "./acl.ts";
import { parseGoDuration } from "./goDuration.ts";
import { isOwnAddress } from "./ownAddresses.ts";
import { requirePort } from "./ports.ts";

/** What `PUT /clients/{id}/tunnels` takes. */
/** Who asks for a tunnel. */
export interface TunnelAsker {
  readonly owner: string;
  /** Whose questions to the agent these are; absent: whoever has the name. */
  readonly accountId?: string;
  /** Throws when they may have it no longer: agents take a while to answer. */
  readonly requireRight?: () => void;
}

export type TunnelQuery = EndpointInput<"createTunnel">["query"];

/** Where a tunnel listens on this server. */
export interface LocalPlace {
  /** Undefined: the server's usual address. */
  readonly host: string | undefined;
  readonly port: number;
  /** The last port of a range of which any will do; undefined: it has to be `port`. */
  readonly portTo?: number | undefined;
}

/** A tunnel somebody asked for, checked as far as that is possible without the agent. */
export interface TunnelRequest {
  readonly name: string;
  readonly owner: string;
  readonly target: HostPort;
  /** Undefined: a random port on the server's usual address. */
  readonly local: LocalPlace | undefined;
  readonly scheme: string | undefined;
  readonly acl: Acl | undefined;
  /** 0: the tunnel stays open without connections. */
  readonly idleTimeoutMinutes: number;
  /** 0: it never closes by itself. */
  readonly autoCloseNs: number;
  /** Whether the agent is asked first if something listens on the target. */
  readonly probe: boolean;
}

/** A tunnel that is to be opened, anew where it was there before. */
export interface AskedTunnel {
  readonly request: TunnelRequest;
  /** Whose share it is part of. */
  readonly holder: Sharer;
  readonly was?: StoredTunnel | undefined;
}

const IDLE_DEFAULT_MINUTES = 5;
const IDLE_MAX_MINUTES = 10_080;
const AUTO_CLOSE_MAX_NS = 31 * 24 * 3_600e9;
const SCHEME_MAX = 15;
/** `from-to`, with an address in front of it or without. */
const PORT_RANGE = /^(.*\d)-(\d+)$/;

/** Checks the query of `PUT /clients/{id}/tunnels` as RPort does; throws with RPort's codes. */
export function parseTunnelQuery(query: TunnelQuery, owner: string): TunnelRequest {
  requireTcp(query.protocol ?? "tcp");
  requireNoProxy(query);
  return {
    name: query.name ?? "",
    owner,
    target: requireHostPort(withoutEmptyHost(query.remote), "remote"),
    local: parseLocal(query.local ?? ""),
    scheme: parseScheme(query.scheme ?? ""),
    acl: query.acl === undefined || query.acl === "" ? undefined : parseAcl(query.acl),
    idleTimeoutMinutes: parseIdle(query["idle-timeout-minutes"], query["skip-idle-timeout"]),
    autoCloseNs: parseAutoClose(query["auto-close"] ?? ""),
    probe: query.check_port !== "0",
  };
}

/** Throws unless the protocol is one that tunnels can carry now. */
export function requireTcp(protocol: string): void {
  if (protocol === "tcp") return;
  const title =
    protocol === "udp" || protocol === "tcp+udp"
      ? "UDP tunnels are not supported yet."
      : `Unknown tunnel protocol ${JSON.stringify(protocol)}: only tcp is supported.`;
  throw bad(title);
}

/** Throws unless tunnels can listen where it says, on one of these ports, at some time. */
export function requireLocal({ local }: TunnelRequest, among: PortRanges): void {
  if (local === undefined) return;
  requirePort(local.port, among);
  if (local.host === undefined || isOwnAddress(local.host)) return;
  throw bad(`${local.host} is not an address of this server.`);
}

/**
 * There is no proxy in front of tunnels, and so no password either: whoever asks for one is refused,
 * in RPort's words, rather than given a tunnel that is open.
 */
function requireNoProxy(query: TunnelQuery): void {
  const detail =
    "This server puts no proxy in front of tunnels. Restrict who may connect with acl.";
  const refuse = (title: string) => new RportError("BAD_REQUEST", title, { detail });
  if (query.http_proxy === true) throw refuse("creation of tunnel proxy not enabled");
  if (query.host_header) throw refuse("host_header not allowed when http_proxy is false");
  if (!query.auth_user && !query.auth_password) return;
  throw refuse(
    "http basic authentication requires http_proxy to be activated on the requested tunnel",
  );
}

function parseLocal(text: string): TunnelRequest["local"] {
  if (text === "") return undefined;
  const [, before = "", portTo] = PORT_RANGE.exec(text) ?? [];
  const written = withoutEmptyHost(portTo === undefined ? text : before);
  const { host, port } = requireHostPort(written, "local address");
  const place = { port, portTo: portTo === undefined ? undefined : lastPort(text, port, portTo) };
  if (!written.includes(":")) return { host: undefined, ...place };
  if (host !== "localhost" && isIP(host) === 0) {
    throw bad(`The local address ${JSON.stringify(host)} is not an IP address of this server.`);
  }
  return { host: host === "localhost" ? "127.0.0.1" : host, ...place };
}

/** RPort takes `:22` for `22`. */
function withoutEmptyHost(text: string): string {
  return text.startsWith(":") ? text.slice(1) : text;
}

function lastPort(text: string, port: number, portTo: string): number {
  const last = requireHostPort(portTo, "local address").port;
  if (last >= port) return last;
  throw bad(`The local ports ${JSON.stringify(text.slice(0, 80))} end before they begin.`);
}

function parseScheme(scheme: string): string | undefined {
  if (scheme.length > SCHEME_MAX) {
    throw new RportError(
      "ERR_CODE_URI_SCHEME_LENGTH_EXCEED",
      `A URI scheme has at most ${SCHEME_MAX} characters.`,
    );
  }
  return scheme === "" ? undefined : scheme;
}

function parseIdle(text: string | undefined, skip: boolean | undefined): number {
  if (skip === true && text !== undefined) {
    throw bad("idle-timeout-minutes and skip-idle-timeout exclude each other.");
  }
  if (skip === true) return 0;
  if (text === undefined || text === "") return IDLE_DEFAULT_MINUTES;
  const minutes = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (minutes < 0 || minutes > IDLE_MAX_MINUTES) {
    throw bad(`idle-timeout-minutes is a number from 0 to ${IDLE_MAX_MINUTES}.`);
  }
  return minutes;
}

function parseAutoClose(text: string): number {
  if (text === "") return 0;
  const ns = parseGoDuration(text);
  if (ns === undefined) throw bad("auto-close is a duration such as 30m or 12h.");
  if (ns > AUTO_CLOSE_MAX_NS) throw bad("auto-close is at most 31 days (744h).");
  return ns;
}

function bad(title: string): RportError {
  return new RportError("BAD_REQUEST", title);
}
