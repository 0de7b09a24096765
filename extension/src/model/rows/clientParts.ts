import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { statusOf } from "../arrange.ts";
import { ago } from "../relativeTime.ts";
import { systemOf } from "../shown/grouping.ts";

/** What may stand behind a client's name, beside what needs attention, which always does. */
export const CLIENT_PARTS = [
  "address",
  "tags",
  "os",
  "lastSeen",
  "tunnels",
  "version",
  "hostname",
  "credential",
  "id",
  "connected",
] as const;

/** One of `CLIENT_PARTS`. */
export type ClientPart = (typeof CLIENT_PARTS)[number];

/** What stands there unless somebody chose: what tells hosts apart comes before what many have in common. */
export const USUAL_PARTS: readonly ClientPart[] = ["address", "tags", "os", "lastSeen", "tunnels"];

/** What `lastSeen` stands in place of in the row of a client that is offline. */
const OF_CONNECTION: ReadonlySet<ClientPart> = new Set(
  CLIENT_PARTS.filter((part) => part !== "lastSeen" && part !== "tunnels"),
);

/** The parts that a setting names, each once; words that are none are left out, and no list is the usual one. */
export function partsOf(setting: unknown): readonly ClientPart[] {
  if (!Array.isArray(setting)) return USUAL_PARTS;
  const words = new Set(setting.slice(0, CLIENT_PARTS.length * 2));
  const parts = [...words].flatMap((word) => CLIENT_PARTS.find((part) => part === word) ?? []);
  return words.size > 0 && parts.length === 0 ? USUAL_PARTS : parts;
}

/** What the parts of a client's row are made from. */
export interface PartFacts {
  readonly client: Client;
  readonly nowMs: number;
  /** Empty when there is none. */
  readonly tunnels: string;
  /** When it was last seen; empty while it is online. */
  readonly seen: string;
  /** How its last connection ended; empty when that is not known. */
  readonly end: string;
}

const TEXTS: { readonly [P in ClientPart]: (facts: PartFacts) => readonly string[] } = {
  address: ({ client }) => [addressOf(client)],
  tags: ({ client }) => client.tags,
  os: ({ client }) => [systemOf(client)],
  lastSeen: ({ seen, end }) => [seen, end],
  tunnels: ({ tunnels }) => [tunnels],
  version: ({ client }) => [client.version === "" ? "" : t("agent {0}", client.version)],
  hostname: ({ client }) => [client.hostname],
  credential: ({ client }) => [client.client_auth_id],
  id: ({ client }) => [client.id],
  connected: ({ client, nowMs }) => [connectedText(client, nowMs)],
};

/**
 * The texts of parts in their order, empty ones among them. How the connection of an offline client ended is always
 * told: where it was last seen, else first.
 */
export function partTexts(parts: readonly ClientPart[], facts: PartFacts): readonly string[] {
  const isOffline = statusOf(facts.client) === "offline";
  const saysSeen = parts.includes("lastSeen");
  const shown = parts.filter((part) => !(isOffline && saysSeen && OF_CONNECTION.has(part)));
  const texts = shown.flatMap((part) => TEXTS[part](facts));
  return saysSeen ? texts : [facts.end, ...texts];
}

/** What is spoken of parts, beside what is spoken of every client. */
export function spokenParts(parts: readonly ClientPart[], facts: PartFacts): readonly string[] {
  const unusual = parts.filter((part) => part === "lastSeen" || !USUAL_PARTS.includes(part));
  return partTexts(unusual, { ...facts, seen: "", end: "" });
}

function connectedText(client: Client, nowMs: number): string {
  const at = statusOf(client) === "online" ? client.connected_at : null;
  return at === null ? "" : t("connected {0}", ago(at, nowMs));
}

/** The first address that says where the host is; link-local ones do not. */
function addressOf(client: Client): string {
  const isUseful = (address: string) => !/^(127\.|169\.254\.|::1$|fe80:)/i.test(address);
  return client.ipv4.find(isUseful) ?? client.ipv6.find(isUseful) ?? client.address;
}
