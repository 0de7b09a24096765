import type { Tunnel } from "@rport/protocol/model";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { dateAndTime } from "../relativeTime.ts";
import { serviceOf } from "../services.ts";
import { hasCommandLine } from "../tunnels/commandLine.ts";
import { type ServiceKind, serviceName, webScheme } from "../tunnels/greeting.ts";
import { isExposed, LOCAL_HOST } from "../tunnels/localHost.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** Loopback, where only the host itself can mean itself: not worth a word. */
const HOST_ITSELF = new Set(["127.0.0.1", "localhost", "::1", ""]);

/** Where a tunnel leads: `web-01:22 ssh`, or `10.0.0.5:5432 PostgreSQL via web-01`. */
function destination(clientName: string, remote: HostPort, kind?: ServiceKind): string {
  const service = serviceName(remote.port, kind);
  const isHost = HOST_ITSELF.has(remote.host);
  const address = isHost ? `${clientName}:${remote.port}` : formatHostPort(remote);
  const words = service === "" ? address : `${address} ${service}`;
  return isHost ? words : t("{0} via {1}", words, clientName);
}

function useOf(connections: number): string {
  return connections === 0
    ? t("idle")
    : plural(connections, t("{0} connection", connections), t("{0} connections", connections));
}

/** What the row of a tunnel that ends on this computer depends on. */
export interface LocalTunnelFacts {
  readonly localPort: number;
  /** The address of this computer on which it listens; undefined: 127.0.0.1. */
  readonly localHost?: string | undefined;
  readonly remote: HostPort;
  /** Whether it answers; otherwise it is one of before. */
  readonly isOpen: boolean;
  readonly connections: number;
  /** What was found at its other end; undefined: nothing was, or not yet. */
  readonly kind?: ServiceKind | undefined;
  readonly failure: string | undefined;
  /** Connections that were cut on their way: why, when (milliseconds since the epoch), how many. */
  readonly broke:
    | { readonly why: string; readonly atMs: number; readonly connections: number }
    | undefined;
}

/** What broke is in the row for so long; whoever hovers over it is told in any case. */
const BROKE_SHOWN_MS = 10 * 60_000;

/** The address of a tunnel that ends on this computer. */
export function localAddress({
  localPort: port,
  localHost: host = LOCAL_HOST,
}: Pick<LocalTunnelFacts, "localPort" | "localHost">): string {
  return formatHostPort({ host, port });
}

/** What is said of a tunnel that others than this computer may reach; empty for others. */
function exposure({ localHost = LOCAL_HOST }: LocalTunnelFacts): string {
  return isExposed(localHost) ? t("open to other computers") : "";
}

/** The row of a tunnel that ends on this computer. */
export function localTunnelRow(tunnel: LocalTunnelFacts, clientName: string, nowMs: number): Row {
  if (!tunnel.isOpen) return closedTunnelRow(tunnel, clientName);
  const { remote, connections, failure, broke, kind } = tunnel;
  const label = localAddress(tunnel);
  const leads = destination(clientName, remote, kind);
  const state = failure ?? useOf(connections);
  const failed = failure !== undefined;
  const brokeText = broke === undefined ? "" : brokeAt(broke);
  const isRecent = broke !== undefined && nowMs - broke.atMs < BROKE_SHOWN_MS;
  const recent = isRecent ? brokeText : "";
  const exposed = exposure(tunnel);
  return {
    label,
    // a narrow side bar shows the beginning only
    description: failed
      ? joinDots(state, exposed, recent, `\u2192 ${leads}`)
      : joinDots(exposed, recent, `\u2192 ${leads}`, state),
    icon: iconOf(failed, exposed !== ""),
    context: contextValue("tunnel", {
      command: hasCommandLine(remote.port, kind),
      failed,
      http: webScheme(remote.port, kind) !== undefined,
      local: true,
      open: !failed,
    }),
    children: "none",
    spoken: joinSpoken(
      label,
      t("leads to {0}", leads),
      failed ? t("failed: {0}", failure) : state,
      exposed,
      broke === undefined ? "" : `${brokeText}: ${broke.why}`,
    ),
  };
}

function iconOf(isFailed: boolean, isOpenToOthers: boolean): RowIcon {
  if (isFailed) return { name: "error", color: "errorForeground" };
  return isOpenToOthers ? { name: "plug", color: "list.warningForeground" } : { name: "plug" };
}

/** `2 connections broke on 30 Nov, 14:02`. */
function brokeAt({ atMs, connections }: { readonly atMs: number; readonly connections: number }) {
  const when = dateAndTime(atMs);
  return plural(
    connections,
    t("{0} connection broke on {1}", connections, when),
    t("{0} connections broke on {1}", connections, when),
  );
}

/** The row of a tunnel of before. Nothing listens on its port, unless somebody else does. */
function closedTunnelRow(tunnel: LocalTunnelFacts, clientName: string): Row {
  const { remote, failure, kind } = tunnel;
  const label = localAddress(tunnel);
  const leads = destination(clientName, remote, kind);
  const failed = failure !== undefined;
  const state = failed ? t("not open: {0}", failure) : t("not open");
  return {
    label,
    description: joinDots(state, `\u2192 ${leads}`),
    icon: failed
      ? { name: "warning", color: "problemsWarningIcon.foreground" }
      : { name: "debug-disconnect", color: "disabledForeground" },
    context: contextValue("tunnel", { closed: true, local: true }),
    children: "none",
    spoken: joinSpoken(label, t("leads to {0}", leads), state),
  };
}

/** A client above its tunnels of before, while its server says nothing of it. */
export function absentClientRow(name: string, isServerThere: boolean): Row {
  const state = isServerThere ? t("not known to the server") : "";
  return {
    label: name,
    description: state,
    icon: { name: "vm-outline", color: "disabledForeground" },
    context: contextValue("absentClient"),
    children: "expanded",
    spoken: joinSpoken(name, state),
  };
}

/** The row of a tunnel whose listener is on the server; `serverHost` is where people reach it. */
export function serverTunnelRow(tunnel: Tunnel, clientName: string, serverHost: string): Row {
  const label = serverTunnelAddress(tunnel, serverHost);
  const leads = destination(clientName, { host: tunnel.rhost, port: Number(tunnel.rport) });
  const use = useOf(tunnel.connections);
  return {
    label,
    description: joinDots(`\u2192 ${leads}`, t("on the server"), use),
    icon: { name: "server-environment" },
    context: contextValue("tunnel", {
      http: schemeOf(tunnel) !== undefined,
      open: true,
      server: true,
    }),
    children: "none",
    spoken: joinSpoken(label, t("leads to {0}", leads), t("on the server"), use),
  };
}

/** The address of a server tunnel as seen from outside: a wildcard stands for the server itself. */
export function serverTunnelAddress(tunnel: Tunnel, serverHost: string): string {
  const isWildcard = ["", "0.0.0.0", "::"].includes(tunnel.lhost);
  const host = isWildcard ? serverHost : tunnel.lhost;
  return formatHostPort({ host, port: Number(tunnel.lport) });
}

/** The URL scheme of a server tunnel that leads to a web service. */
export function schemeOf(tunnel: Tunnel): "http" | "https" | undefined {
  const { scheme } = tunnel;
  if (scheme === "http" || scheme === "https") return scheme;
  return serviceOf(Number(tunnel.rport))?.scheme;
}
