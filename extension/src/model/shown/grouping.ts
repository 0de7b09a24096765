import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { statusOf } from "../arrange.ts";
import { naturalKey } from "../naturalKey.ts";

/** By what the clients of a server can be in groups; by `server` alone means: in none below it. */
export const GROUPINGS = ["status", "tag", "os", "credential", "network", "server"] as const;

/** By what clients are in groups. */
export type Grouping = (typeof GROUPINGS)[number];

/** A group of clients: those that somebody pinned, or those that have a value in common. */
export interface Group {
  readonly by: Grouping | "pinned";
  /** Empty: those that have none, such as no tag. */
  readonly value: string;
}

/** The clients that somebody pinned stand above all others. */
export const PINNED: Group = { by: "pinned", value: "" };

const NAMELESS: { readonly [G in Grouping]: string } = {
  status: "",
  tag: t("Untagged"),
  os: t("Unknown System"),
  credential: t("No Credential"),
  network: t("Unknown Network"),
  server: t("All Clients"),
};

/** What a group is called. */
export function groupLabel({ by, value }: Group): string {
  if (by === "pinned") return t("Pinned");
  if (by === "status") return value === "online" ? t("Online") : t("Offline");
  return value === "" ? NAMELESS[by] : value;
}

/** Where a group stands: pinned first, those without a value last, and offline after online. */
export function groupOrder({ by, value }: Group): string {
  if (by === "pinned") return "0";
  if (by === "status") return value === "online" ? "1" : "2";
  return value === "" ? "2" : `1${naturalKey(value)}`;
}

/** The values by which a client is in groups; several only for tags. */
export function groupValues(client: Client, grouping: Grouping): readonly string[] {
  switch (grouping) {
    case "status":
      return [statusOf(client)];
    case "tag":
      return tagsOf(client);
    case "os":
      return [systemOf(client)];
    case "credential":
      return [client.client_auth_id];
    case "network":
      return [networkOf(client.address)];
    case "server":
      return [""];
  }
}

function tagsOf({ tags }: Client): readonly string[] {
  const named = tags.filter((tag) => tag.trim() !== "");
  return named.length === 0 ? [""] : [...new Set(named)];
}

/** The operating system in a word people use. */
export function systemOf(client: Client): string {
  return client.os_full_name || client.os || client.os_kernel;
}

/**
 * Behind which address a client comes from: hosts of one site often share it. Of an IPv6 address, the
 * first four groups are one network, the rest is the host's own.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const leading = head.split(":").filter(Boolean);
  const trailing = (tail ?? "").split(":").filter(Boolean);
  const missing = Math.max(0, 8 - leading.length - trailing.length);
  const zeros = Array.from({ length: tail === undefined ? 0 : missing }, () => "0");
  const groups = [...leading, ...zeros, ...trailing];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
