import type { Client, Duplicate } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { escapeMarkdown } from "../../support/text.ts";
import { displayName, statusOf, statusWord } from "../arrange.ts";
import { endSentence, endWords } from "../connectionEnd.ts";
import { keyAlarm, keyFacts, keySentence } from "../hostKeyNews.ts";
import { ago } from "../relativeTime.ts";
import { systemOf } from "../shown/grouping.ts";
import { accountsOf } from "../terminals/terminalOffer.ts";
import { type ClientPart, partTexts, spokenParts, USUAL_PARTS } from "./clientParts.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** What a client's row depends on. */
export interface ClientFacts {
  readonly client: Client;
  readonly place: "clients" | "credential" | "rotation" | "tunnels";
  /** Whether its tunnels stand below another row of it in the same view. */
  readonly isAgain?: boolean;
  /** Whether it stands above the others. */
  readonly isPinned?: boolean;
  /** What the host was called under its earlier id, if it looks like one; else empty. */
  readonly looksLike?: string;
  /** Whether that one was shut out. */
  readonly isLikeRevoked?: boolean;
  /** Empty when there is only one server. */
  readonly serverName: string;
  readonly localTunnels: number;
  readonly serverTunnels: number;
  readonly nowMs: number;
  /** What stands behind its name in the clients view; undefined: `USUAL_PARTS`. */
  readonly parts?: readonly ClientPart[] | undefined;
  /** Whether one may open terminals there, if the host allows it. */
  readonly mayTerminal: boolean;
  /** Whether one may open tunnels there. */
  readonly mayTunnel: boolean;
  readonly mayAdminister: boolean;
}

function lastSeen(client: Client, nowMs: number): string {
  const time = client.disconnected_at ?? client.last_heartbeat_at ?? client.connected_at;
  return time === null ? t("never connected") : t("last seen {0}", ago(time, nowMs));
}

/** What stands behind a client's name outside the clients view. */
const ELSEWHERE: readonly ClientPart[] = ["lastSeen", "tunnels"];

const WARNING: RowIcon = { name: "warning", color: "list.warningForeground" };

/** What needs attention about a host, in a few words, the most urgent one first. */
function alarmsOf(facts: ClientFacts): readonly string[] {
  const { client, nowMs, looksLike = "", isLikeRevoked = false } = facts;
  const online = statusOf(client) === "online";
  const leftOut = client.left_out.length;
  return [
    client.revoked_at === null ? "" : t("revoked"),
    client.duplicate === null ? "" : t("duplicate at {0}", client.duplicate.address),
    keyAlarm(client, nowMs),
    client.looks_like === null ? "" : likeWords(looksLike || client.looks_like, isLikeRevoked),
    online && client.secret?.state === "grace" ? t("uses an old secret") : "",
    leftOut === 0
      ? ""
      : plural(leftOut, t("{0} tunnel left out", leftOut), t("{0} tunnels left out", leftOut)),
  ].filter((text) => text !== "");
}

function likeWords(name: string, isRevoked: boolean): string {
  return isRevoked ? t("looks like the revoked {0}", name) : t("looks like {0}", name);
}

function iconOf({ client, localTunnels, nowMs, isLikeRevoked }: ClientFacts): RowIcon {
  if (client.revoked_at !== null) return { name: "circle-slash", color: "errorForeground" };
  if (isLikeRevoked) return { name: "warning", color: "errorForeground" };
  if (client.duplicate !== null) return WARNING;
  if (statusOf(client) === "offline") return { name: "vm-outline", color: "disabledForeground" };
  if (client.secret?.state === "grace" || client.looks_like !== null) return WARNING;
  if (keyAlarm(client, nowMs) !== "") return WARNING;
  return { name: localTunnels > 0 ? "vm-connect" : "vm-running", color: "charts.green" };
}

/**
 * A client's row. Below a credential and above tunnels it says less, because less is asked there.
 */
export function clientRow(facts: ClientFacts): Row {
  const { client, place, localTunnels, serverTunnels, nowMs } = facts;
  // in the tunnels view, clients of all servers stand side by side
  const server = place === "tunnels" ? facts.serverName : "";
  const online = statusOf(client) === "online";
  const tunnels = localTunnels + serverTunnels;
  const tunnelsText =
    tunnels === 0 ? "" : plural(tunnels, t("{0} tunnel", tunnels), t("{0} tunnels", tunnels));
  const alarms = alarmsOf(facts);
  const seen = online ? "" : lastSeen(client, nowMs);
  const end = online ? "" : endWords(client);
  // below a credential and above tunnels, less is asked
  const parts = place === "clients" ? (facts.parts ?? USUAL_PARTS) : ELSEWHERE;
  const told = { client, nowMs, tunnels: tunnelsText, seen, end };
  return {
    label: displayName(client),
    // what needs attention first: a narrow side bar cuts the rest off
    description: joinDots(...alarms, ...partTexts(parts, told), server),
    icon: iconOf(facts),
    context: clientContext(facts),
    children: facts.isAgain === true ? "none" : childrenOf(place, tunnels),
    spoken: joinSpoken(
      displayName(client),
      statusWord(statusOf(client)),
      seen,
      end,
      place === "clients" ? systemOf(client) : "",
      ...alarms,
      ...spokenParts(parts, told),
      tunnelsText,
      server,
    ),
  };
}

/** What the menus of a client's row ask, wherever the row stands. */
export function clientContext(facts: ClientFacts): string {
  const { client, place, localTunnels, serverTunnels, mayAdminister, mayTunnel, mayTerminal } =
    facts;
  const online = statusOf(client) === "online";
  return contextValue("client", {
    duplicate: client.duplicate !== null,
    likeRevoked: facts.isLikeRevoked === true,
    looksLike: client.looks_like !== null,
    mayAdminister,
    mayTerminal,
    mayTunnel,
    offline: !online,
    online,
    pinned: facts.isPinned === true,
    ref: place !== "clients",
    revoked: client.revoked_at !== null,
    terminal: online && accountsOf(client).length > 0,
    straggler: client.rotation_state === "straggler",
    tunnels: localTunnels + serverTunnels > 0,
  });
}

function childrenOf(place: ClientFacts["place"], tunnels: number): Row["children"] {
  // it stands there because there are rows below it, if only of tunnels that are not open
  if (place === "tunnels") return "expanded";
  return place === "clients" && tunnels > 0 ? "collapsed" : "none";
}

const NO_EARLIER = { looksLike: "", isLikeRevoked: false } as const;

/** What a hover shows, in Markdown. It keeps the two ids apart that people mix up most. */
export function clientTooltip(
  client: Client,
  nowMs: number,
  earlier: { readonly looksLike: string; readonly isLikeRevoked: boolean } = NO_EARLIER,
): string {
  const facts = clientFacts(client).map(([name, value]) => `${name}: ${escapeMarkdown(value)}`);
  return [
    `**${escapeMarkdown(displayName(client))}**`,
    tooltipState(client, nowMs),
    ...alarmSentences(client, { ...earlier, nowMs }).map(
      (text) => `$(warning) ${escapeMarkdown(text)}`,
    ),
    ...facts,
    `_${t("The client ID names this host; the authentication ID names the credential it signs in with.")}_`,
  ].join("  \n");
}

function tooltipState(client: Client, nowMs: number): string {
  const { connected_at: connectedAt, connection_end: end } = client;
  if (statusOf(client) === "online") {
    return connectedAt === null ? t("Online") : t("Online, connected {0}", ago(connectedAt, nowMs));
  }
  const seen = lastSeen(client, nowMs);
  return end === null
    ? t("Offline, {0}", seen)
    : t("Offline, {0}. {1}", seen, escapeMarkdown(endSentence(end)));
}

/** What needs attention about a host, and what to do about it, as sentences. */
export function alarmSentences(
  client: Client,
  asked: {
    readonly looksLike: string;
    readonly isLikeRevoked: boolean;
    readonly nowMs: number;
  },
): readonly string[] {
  const { looksLike, isLikeRevoked, nowMs } = asked;
  const { duplicate } = client;
  return [
    client.revoked_at === null
      ? ""
      : t("It is revoked: no secret lets it in until you choose Allow Again."),
    duplicate === null ? "" : duplicateSentence(duplicate),
    keySentence(client, nowMs),
    ...client.left_out.map(({ remote, reason }) =>
      t("It is in without a tunnel that it asks for, {0}. {1}", remote, reason),
    ),
    client.looks_like === null
      ? ""
      : earlierSentence(looksLike || client.looks_like, isLikeRevoked),
  ].filter((text) => text !== "");
}

function earlierSentence(name: string, isRevoked: boolean): string {
  return isRevoked
    ? t(
        "It looks like {0}, which is revoked, and has come back under another client ID. Unless you set it up anew yourself, choose Revoke Client, and rotate the credential that let it in.",
        name,
      )
    : t(
        "It is probably the same machine as {0}, set up anew under another client ID. Choose Move Record Here to keep its name, tags and tunnels.",
        name,
      );
}

/** Who else claims a client's id, as sentences. */
export function duplicateSentence(duplicate: Duplicate): string {
  const why = duplicate.same_host_key
    ? t("It shows the same host key, so its disk is a copy of this one's.")
    : t("It shows another host key, so it was set up with the same client ID.");
  return `${claimSentence(duplicate)} ${why}`;
}

function claimSentence({ hostname: name, address, count: n }: Duplicate): string {
  return name === ""
    ? plural(
        n,
        t("Another host at {0} claims this client ID and was refused {1} time.", address, n),
        t("Another host at {0} claims this client ID and was refused {1} times.", address, n),
      )
    : plural(
        n,
        t(
          "Another host, {0}, at {1} claims this client ID and was refused {2} time.",
          name,
          address,
          n,
        ),
        t(
          "Another host, {0}, at {1} claims this client ID and was refused {2} times.",
          name,
          address,
          n,
        ),
      );
}

/** The facts of a host by name, those that are known. */
export function clientFacts(client: Client): readonly (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [
    [t("Client ID"), client.id],
    [t("Authentication ID"), client.client_auth_id],
    [t("Host name"), client.hostname],
    [t("System"), joinSpoken(systemOf(client), client.os_arch)],
    [t("Connects from"), client.address],
    ["IPv4", client.ipv4.join(", ")],
    ["IPv6", client.ipv6.join(", ")],
    [t("Tags"), client.tags.join(", ")],
    [t("Agent"), client.version],
    ...keyFacts(client),
  ];
  return facts.filter(([, value]) => value !== "");
}
