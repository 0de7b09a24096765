import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import type { ContextKey } from "../manifest.ts";
import { statusOf } from "../model/arrange.ts";
import type { Mirror } from "../model/mirror.ts";
import { timeOfDay, timeOrDay } from "../model/relativeTime.ts";
import { reasonText, refusalText, stateText, unreadText } from "../model/rows/serverRow.ts";
import { LOCAL_URL } from "../servers/config.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import { plural } from "../support/plural.ts";
import { plainText } from "../support/text.ts";
import { openOnes } from "../tunnels/localTunnel.ts";
import type { Arrangements } from "./arrangements.ts";

/** The values of all context keys. */
export type ContextValues = Readonly<Record<ContextKey, boolean>>;

/** Those that say what the filter of the clients view does. */
type FilterContext = Pick<
  ContextValues,
  "clientsFiltered" | "filterAsked" | "noMatches" | "offlineHidden" | "onlyHidden"
>;

/** Those that say what is so of the servers. */
type ServerContext = Omit<ContextValues, keyof FilterContext | "hasPinned">;

/** How many clients there are, and how many of them are shown. */
export interface ClientCounts {
  readonly shown: number;
  readonly total: number;
  /** How many of the others are left out only because they are offline. */
  readonly hidden: number;
}

/** Unreachable for now; while it is tried again, the view does not flicker back to "connecting". */
function isUnreachable({ state }: Server): boolean {
  return state.kind === "waiting" || (state.kind === "connecting" && state.attempt > 0);
}

/** Whether one is an administrator of a server, as far as that has said. */
function isRunBy({ state, rights }: Server): boolean {
  return state.kind === "connected" && rights.administrator;
}

/** A local backend without any users is not worth a view of them. */
export function hasUsers(server: Server): boolean {
  return isRunBy(server) && (server.rights.account || server.mirror.maps.users.size > 0);
}

/** What the manifest's `when` clauses are told of the filter. */
export function filterContext(
  {
    isFiltered,
    isAsked,
    hidesOffline,
  }: Pick<Arrangements, "isFiltered" | "isAsked" | "hidesOffline">,
  { shown, total, hidden }: ClientCounts,
): FilterContext {
  const isEmpty = shown === 0 && total > 0;
  return {
    clientsFiltered: isFiltered,
    filterAsked: isAsked,
    noMatches: isFiltered && isEmpty && hidden === 0,
    offlineHidden: hidesOffline,
    onlyHidden: isEmpty && hidden > 0,
  };
}

/**
 * What stands above the clients while some are hidden because they are offline; empty where the view itself has room
 * for it.
 */
export function hiddenMessage({
  shown,
  hidden,
  servers,
}: Omit<ClientCounts, "total"> & { readonly servers: number }): string {
  if (hidden === 0 || (shown === 0 && servers === 1)) return "";
  return plural(
    hidden,
    t("{0} offline client is hidden: Show Offline Clients, above, shows it.", hidden),
    t("{0} offline clients are hidden: Show Offline Clients, above, shows them.", hidden),
  );
}

/**
 * What stands above the clients while a filter is set; empty where the view itself has room for it, because
 * there is nothing else to show.
 */
export function filterMessage(
  text: string,
  { shown, total, servers }: Omit<ClientCounts, "hidden"> & { readonly servers: number },
): string {
  if (text === "" || total === 0 || (shown === 0 && servers === 1)) return "";
  const filter = plainText(text);
  if (shown > 1) return t("{0} of {1} clients match {2}", shown, total, filter);
  return shown === 0
    ? plural(
        total,
        t("None of {0} client matches {1}", total, filter),
        t("None of {0} clients matches {1}", total, filter),
      )
    : plural(
        total,
        t("1 of {0} client matches {1}", total, filter),
        t("1 of {0} clients matches {1}", total, filter),
      );
}

/** What the manifest's `when` clauses are told of the servers. */
export function contextOf({ servers, tunnels }: Fleet): ServerContext {
  const some = (test: (server: Server) => boolean) => servers.some(test);
  const none = (count: (server: Server) => number) => servers.every((each) => count(each) === 0);
  const hasServerTunnels = !none(({ mirror }) => mirror.maps.tunnels.size);
  const local = tunnels.all.filter(({ serverKey }) => some(({ key }) => key === serverKey));
  return {
    hasServer: servers.length > 0,
    hasLocalServer: some(({ isLocal }) => isLocal),
    localRunning: some(({ isLocal, state }) => isLocal && state.kind === "connected"),
    usualLocalRunning: some(({ key, state }) => key === LOCAL_URL && state.kind === "connected"),
    hasRemoteServer: some(({ isLocal }) => !isLocal),
    away: some((server) => isUnreachable(server)),
    connected: some(({ state }) => state.kind === "connected"),
    administrator: some(isRunBy),
    notAdministrator: some(({ state }) => state.kind === "connected") && !some(isRunBy),
    mayTunnel: some((server) => server.may("tunnels")),
    mayAudit: some((server) => server.may("auditlog")),
    managesUsers: some(hasUsers),
    hasAccount: some(({ rights }) => rights.account),
    refused: some(({ state }) => state.kind === "signedOut" && state.refusal !== undefined),
    connecting: some(({ state }) => state.kind === "connecting" && state.attempt === 0),
    everConnected: some(({ mirror }) => mirror.isFilled),
    signedOut: some(({ state }) => state.kind === "signedOut"),
    unreachable: some((server) => isUnreachable(server) && !server.isLocal),
    localNotRunning: some((server) => isUnreachable(server) && server.isLocal),
    fingerprintChanged: some(({ state }) => state.kind === "changed"),
    noClients: none(({ mirror }) => mirror.maps.clients.size),
    noCredentials: none(({ mirror }) => mirror.maps.credentials.size),
    hasCredential: !none(({ mirror }) => mirror.maps.credentials.size),
    hasClient: !none(({ mirror }) => mirror.maps.clients.size),
    rotatedOnce: some(({ mirror }) => wasRotated(mirror)),
    hasDuplicates: some(({ mirror }) => hasClient(mirror, ({ duplicate }) => duplicate !== null)),
    hasLooksLike: some(({ mirror }) => hasClient(mirror, (each) => each.looks_like !== null)),
    hasStragglers: some(({ mirror }) =>
      hasClient(mirror, (each) => each.rotation_state === "straggler"),
    ),
    hasRevoked: some(({ mirror }) => hasClient(mirror, ({ revoked_at: at }) => at !== null)),
    hasRotation: some(({ mirror }) => hasRotation(mirror)),
    hasRefusals: some(({ mirror }) => mirror.maps.refusals.size > 0),
    hasJoins: some(({ mirror }) => mirror.maps.joins.size > 0),
    hasTunnels: local.length > 0 || hasServerTunnels,
    hasOpenTunnels: local.some(({ isOpen }) => isOpen) || hasServerTunnels,
    hasClosedTunnels: local.some(({ isOpen }) => !isOpen),
  };
}

/** Walks without a copy: there may be thousands, and this is asked after every change. */
function hasClient({ maps }: Mirror, fits: (client: Client) => boolean): boolean {
  for (const client of maps.clients.values()) if (fits(client)) return true;
  return false;
}

function hasRotation({ maps }: Mirror): boolean {
  return [...maps.credentials.values()].some(({ rotation }) => rotation !== null);
}

function wasRotated({ maps }: Mirror): boolean {
  return [...maps.credentials.values()].some(
    ({ rotated_at, rotation }) => (rotated_at ?? rotation) !== null,
  );
}

/** The number of hosts that wait to be let in, for the view's icon; undefined when none does. */
export function joinsBadge({ servers }: Pick<Fleet, "servers">) {
  const value = servers.reduce((sum, { mirror }) => sum + mirror.maps.joins.size, 0);
  if (value === 0) return undefined;
  const one = t("{0} client waits for approval", value);
  return { value, tooltip: plural(value, one, t("{0} clients wait for approval", value)) };
}

/** The number of pinned clients that are offline, for the view's icon; undefined when none is. */
export function pinnedBadge(
  { servers }: Pick<Fleet, "servers">,
  arrangements: Pick<Arrangements, "pinnedOf">,
) {
  const pinned = servers.flatMap(({ key, mirror }) =>
    [...arrangements.pinnedOf(key)].map((id) => mirror.maps.clients.get(id)),
  );
  const value = pinned.filter((each) => each !== undefined && statusOf(each) === "offline").length;
  if (value === 0) return undefined;
  const one = t("{0} pinned client is offline", value);
  return { value, tooltip: plural(value, one, t("{0} pinned clients are offline", value)) };
}

/** When what a view shows of a server that has told nothing yet was true; undefined: it shows nothing. */
export interface LastTimes {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly of: (server: Server) => number | undefined;
}

function messageOf(server: Server, last: LastTimes | undefined): string | undefined {
  const { state, heardAtMs, mirror, name } = server;
  if (state.kind === "connected" || state.kind === "stopped") return undefined;
  const refusal = refusalText(state) ?? unreadText(state);
  if (refusal !== undefined) return `${name}: ${refusal}`;
  const lastMs = last?.of(server);
  if (last !== undefined && lastMs !== undefined) {
    return t("Connecting to {0}\u2026 showing rows as of {1}.", name, timeOrDay(lastMs, last.now));
  }
  if (!mirror.isFilled || heardAtMs === undefined) return undefined;
  return oldText(server, timeOfDay(heardAtMs));
}

/** What is said while what was heard at a time of day is shown. */
function oldText({ name, state }: Server, at: string): string {
  if (state.kind !== "connecting" && state.kind !== "waiting") {
    return t("{0}: {1}, showing data from {2}.", name, stateText(state), at);
  }
  const reconnecting = t("Reconnecting to {0}\u2026 showing data from {1}.", name, at);
  return `${reconnecting} ${reasonText(state)}`.trim();
}

/** What stands above a tree while its data is old; undefined when all is well. */
export function viewMessage({ servers }: Fleet, last?: LastTimes): string | undefined {
  const messages = servers
    .map((server) => messageOf(server, last))
    .filter((message) => message !== undefined);
  return messages.length === 0 ? undefined : messages.join(" ");
}

/** The status bar item: online and known clients, and open tunnels of this window. */
export interface StatusItem {
  readonly text: string;
  readonly tooltip: string;
  readonly spoken: string;
  readonly isWarning: boolean;
}

/** What the status bar says; undefined when no server is configured. */
export function statusItemOf({ servers, tunnels }: Fleet): StatusItem | undefined {
  if (servers.length === 0) return undefined;
  let online = 0;
  let total = 0;
  for (const { clients } of servers) {
    online += clients.countOf("online");
    total += clients.countOf("online") + clients.countOf("offline");
  }
  const open = openOnes(tunnels.all).length;
  const lines = servers.map((server) => `${server.name}: ${standingOf(server)}`);
  const isKnown = servers.some(({ mirror }) => mirror.isFilled);
  const counts = isKnown ? `${online}/${total}` : "\u2013";
  const openText = plural(open, t("{0} tunnel open", open), t("{0} tunnels open", open));
  const openHere = plural(
    open,
    t("{0} tunnel open on this computer", open),
    t("{0} tunnels open on this computer", open),
  );
  return {
    text: `$(vm) ${counts}${open === 0 ? "" : ` $(plug) ${open}`}`,
    tooltip: ["RPort", ...lines, ...(open === 0 ? [] : [openHere])].join("\n"),
    spoken: ["RPort", t("{0} of {1} clients online", online, total), openText].join(", "),
    isWarning: servers.some((server) => isUnreachable(server) || server.state.kind === "changed"),
  };
}

function standingOf(server: Server): string {
  const words = stateText(server.state);
  if (words === "") return onlineText(server);
  const reason = reasonText(server.state);
  return reason === "" ? words : `${words}. ${reason}`;
}

function onlineText({ clients }: Server): string {
  const online = clients.countOf("online");
  return t("{0} of {1} clients online", online, online + clients.countOf("offline"));
}
