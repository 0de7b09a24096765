import { isIP } from "node:net";
import type { RemoteMessage } from "@rport/protocol/agent";
import { withoutDeceptive } from "@rport/protocol/deceptive";
import { RportError } from "@rport/protocol/errors";
import { type TunnelId, tunnelIdSchema } from "@rport/protocol/ids";
import { beginningOf, ownText } from "@rport/protocol/ownText";
import { type HostPort, parseHostPort } from "@rport/protocol/remote";
import type { StoredTunnel } from "../store/records/clientRecord.ts";
import { parseAcl } from "./acl.ts";
import { requireTcp, type TunnelRequest } from "./request.ts";

const NAME_MAX = 200;

/** What a new tunnel gets besides what was asked for. */
export interface Placement {
  readonly id: TunnelId;
  readonly host: string;
  readonly port: number;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** The description that is shown and remembered of a tunnel that was asked for. */
export function describeTunnel(request: TunnelRequest, place: Placement): StoredTunnel {
  return {
    id: place.id,
    name: request.name,
    protocol: "tcp",
    lhost: place.host,
    lport: String(place.port),
    lport_random: request.local === undefined,
    owner: request.owner,
    rhost: request.target.host,
    rport: String(request.target.port),
    scheme: request.scheme ?? null,
    acl: request.acl?.text ?? null,
    idle_timeout_minutes: request.idleTimeoutMinutes,
    auto_close: request.autoCloseNs,
    http_proxy: false,
    host_header: "",
    auth_user: "",
    tunnel_url: "",
    created_at: place.createdAt,
  };
}

/**
 * A tunnel the agent asks for. Throws an `RportError` that says what of it is wrong, or not possible
 * here.
 */
export function requestOfRemote(remote: RemoteMessage): TunnelRequest {
  requireTcp(remote.protocol);
  const target = parseHostPort(`${bracketed(remote.rhost || "127.0.0.1")}:${remote.rport}`);
  const port = remote.lport === "" ? undefined : parseHostPort(remote.lport)?.port;
  if (target === undefined || (remote.lport !== "" && port === undefined)) {
    throw bad("The tunnel's local or remote address is not valid.");
  }
  requireNoProxy(remote);
  return {
    name: beginningOf(withoutDeceptive(remote.name).trim(), NAME_MAX),
    owner: "",
    target,
    local: port === undefined ? undefined : { host: localHost(remote.lhost), port },
    scheme: remote.scheme === null ? undefined : ownText(withoutDeceptive(remote.scheme).trim()),
    acl: remote.acl === null || remote.acl === "" ? undefined : parseAcl(remote.acl),
    idleTimeoutMinutes: remote.idle_timeout_minutes,
    autoCloseNs: remote.auto_close,
    probe: false,
  };
}

/** RPort's proxy, and what belongs to it: without them the tunnel would be open. */
function requireNoProxy(remote: RemoteMessage): void {
  const { http_proxy: isProxied, host_header: header, auth_user: user, auth_password } = remote;
  if (isProxied) throw bad("This server puts no proxy in front of tunnels.");
  if (header !== "") throw bad("This server replaces no Host header.");
  if (user !== "" || auth_password !== "")
    throw bad("This server puts no login in front of tunnels.");
}

/** Whether only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function localHost(host: string): string | undefined {
  if (host === "") return undefined;
  if (host === "localhost") return "127.0.0.1";
  if (isIP(host) !== 0) return host;
  throw bad("Its local address is not an IP address.");
}

function bad(title: string): RportError {
  return new RportError("BAD_REQUEST", title);
}

/** Whether the agent asked for the tunnel by itself: people have a name. */
export function isAskedFor({ owner }: Pick<TunnelRequest, "owner">): boolean {
  return owner === "";
}

/** A remembered tunnel as somebody would ask for it again. */
export function requestOfStored(stored: StoredTunnel): TunnelRequest {
  return {
    name: stored.name,
    owner: stored.owner,
    target: targetOf(stored),
    local: stored.lport_random ? undefined : { host: stored.lhost, port: Number(stored.lport) },
    scheme: stored.scheme ?? undefined,
    acl: stored.acl === null ? undefined : parseAcl(stored.acl),
    idleTimeoutMinutes: stored.idle_timeout_minutes,
    autoCloseNs: stored.auto_close,
    probe: false,
  };
}

/** The target of a remembered tunnel. */
export function targetOf(stored: Pick<StoredTunnel, "rhost" | "rport">): HostPort {
  return { host: stored.rhost, port: Number(stored.rport) };
}

/** A tunnel in the words of the agent connection. */
export function remoteOf(stored: StoredTunnel): RemoteMessage {
  const { id: _id, created_at: _createdAt, ...rest } = stored;
  return { ...rest, auth_password: "" };
}

/** The id after all that were given out: RPort counts per client, from "1". */
export function nextTunnelId(used: Iterable<string>): TunnelId {
  let highest = 0;
  for (const id of used) highest = Math.max(highest, Number(id));
  return tunnelIdSchema.parse(String(highest + 1));
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
