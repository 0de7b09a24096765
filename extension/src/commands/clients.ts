import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { env, window } from "vscode";
import { displayName, statusOf } from "../model/arrange.ts";
import type { ClientTarget } from "../servers/entities.ts";
import { plainText } from "../support/text.ts";
import type { Documents } from "../views/documents.ts";
import type { Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

/** How long the status bar says that something was copied. */
export const COPIED_MS = 3_000;

/** What the commands on clients need. */
export interface ClientCommandsDeps {
  readonly targets: Targets;
  readonly documents: Documents;
  /** Shows and selects a client in the tree. */
  readonly reveal: (target: ClientTarget) => Promise<void>;
}

/** Commands that a client is the object of. */
export type ClientHandlers = Pick<
  Handlers,
  | "goToClient"
  | "showDetails"
  | "showWhyOffline"
  | "copyClientName"
  | "copyClientId"
  | "copyClientAddress"
>;

/** Finding clients, looking at them, and copying what names them. */
export function clientHandlers(deps: ClientCommandsDeps): ClientHandlers {
  const { targets, documents, reveal } = deps;
  const copier =
    (title: string, textOf: (target: ClientTarget) => string): Handlers["copyClientId"] =>
    async (input) => {
      const chosen = await targets.clients(input, { title, noun: NOUNS.client });
      if (chosen !== undefined) await copyLines(chosen.map(textOf));
    };
  return {
    async goToClient(input) {
      const asked = { title: t("Go to which client?"), noun: NOUNS.client };
      const target = await targets.client(input, asked);
      if (target !== undefined) await reveal(target);
    },
    async showDetails(input) {
      const asked = { title: t("Show details of which client?"), noun: NOUNS.client };
      const target = await targets.client(input, asked);
      if (target !== undefined) await documents.showClient(target.server.key, target.client.id);
    },
    async showWhyOffline(input) {
      const fits = (client: Client) => statusOf(client) === "offline";
      const asked = { title: t("Why is which client offline?"), noun: NOUNS.offlineClient, fits };
      const target = await targets.client(input, asked);
      if (target !== undefined) await documents.showWhyOffline(target.server.key, target.client);
    },
    copyClientName: copier(t("Copy the name of which client?"), ({ client }) =>
      displayName(client),
    ),
    copyClientId: copier(t("Copy the ID of which client?"), ({ client }) => client.id),
    copyClientAddress: copier(
      t("Copy the address of which client?"),
      ({ client }) => client.ipv4[0] ?? client.ipv6[0] ?? client.address,
    ),
  };
}

/** Copies texts, one a line, and says so for a moment without asking for attention. */
export async function copyLines(lines: readonly string[]): Promise<void> {
  await env.clipboard.writeText(lines.join("\n"));
  const what = lines.length === 1 ? lines[0] : t("{0} lines", lines.length);
  window.setStatusBarMessage(t("Copied {0}", plainText(what ?? "")), COPIED_MS);
}
