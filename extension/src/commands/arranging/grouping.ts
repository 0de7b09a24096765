import { t } from "@vscode/l10n";
import { window } from "vscode";
import type { Grouping } from "../../model/shown/grouping.ts";
import type { Sorting } from "../../model/shown/sorting.ts";
import type { Fleet } from "../../servers/fleet.ts";
import { plainText } from "../../support/text.ts";
import type { Arrangements } from "../../views/arrangements.ts";
import type { CommandInput, Handlers } from "../registry.ts";

/** Commands that say in which groups clients are shown, and in which order. */
export type GroupingHandlers = Pick<Handlers, "groupClients" | "sortClients">;

/** What these commands need. */
export interface GroupingDeps {
  readonly fleet: Fleet;
  readonly arrangements: Arrangements;
}

interface Offer<T> {
  readonly value: T;
  readonly label: string;
  readonly detail: string;
}

const GROUPS: readonly Offer<Grouping>[] = [
  { value: "status", label: t("Status"), detail: t("Online above offline") },
  { value: "tag", label: t("Tag"), detail: t("A client stands in the group of each of its tags") },
  { value: "os", label: t("Operating System"), detail: "" },
  { value: "credential", label: t("Credential"), detail: t("What they signed in with last") },
  { value: "network", label: t("Network"), detail: t("The address that they connect from") },
  { value: "server", label: t("Server"), detail: t("One list for each server") },
];

const ORDERS: readonly Offer<Sorting>[] = [
  { value: "name", label: t("Name"), detail: t("host2 before host10") },
  { value: "lastSeen", label: t("Last Seen"), detail: t("Online first, then who left last") },
];

/** Grouping and sorting clients: of the server that was clicked, else of all. */
export function groupingHandlers({ fleet, arrangements }: GroupingDeps): GroupingHandlers {
  const serversOf = ({ node }: CommandInput): readonly string[] =>
    node?.kind === "server" ? [node.serverKey] : fleet.servers.map(({ key }) => key);
  const titleOf = (what: string, { node }: CommandInput): string => {
    const server = node?.kind === "server" ? fleet.get(node.serverKey) : undefined;
    return server === undefined ? what : `${what}: ${plainText(server.name)}`;
  };
  return {
    async groupClients(input) {
      const keys = serversOf(input);
      const now = new Set(keys.map((key) => arrangements.of(key).groupBy));
      const chosen = await pick(GROUPS, now, titleOf(t("Group Clients By"), input));
      if (chosen !== undefined) arrangements.groupBy(keys, chosen);
    },
    async sortClients(input) {
      const keys = serversOf(input);
      const now = new Set(keys.map((key) => arrangements.of(key).sortBy));
      const chosen = await pick(ORDERS, now, titleOf(t("Sort Clients By"), input));
      if (chosen !== undefined) arrangements.sortBy(keys, chosen);
    },
  };
}

/** Offers what can be chosen, and says what it is now. */
async function pick<T>(
  offers: readonly Offer<T>[],
  now: ReadonlySet<T>,
  title: string,
): Promise<T | undefined> {
  const choices = offers.map(({ value, label, detail }) => ({
    value,
    label,
    description: [detail, now.has(value) ? t("as it is now") : ""].filter(Boolean).join(" \u00B7 "),
  }));
  return (await window.showQuickPick(choices, { title }))?.value;
}
