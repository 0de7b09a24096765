import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import { displayName } from "../model/arrange.ts";
import { duplicateSentence } from "../model/rows/clientRow.ts";
import type { ClientTarget } from "../servers/entities.ts";
import { inertLine } from "../support/text.ts";
import { copyLines } from "./clients.ts";
import { confirm, serversOf } from "./confirm.ts";
import type { Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

/** What the commands on hosts that are mixed up need. */
export interface IdentityDeps {
  readonly targets: Targets;
  /** Shows and selects a client in the tree. */
  readonly reveal: (target: ClientTarget) => Promise<void>;
}

/** Commands for hosts that claim one id, or one host that came back under another. */
export type IdentityHandlers = Pick<Handlers, "showDuplicate" | "showEarlier" | "adoptRecord">;

/** Telling hosts apart, and bringing together what belongs to one. */
export function identityHandlers({ targets, reveal }: IdentityDeps): IdentityHandlers {
  const cameBack = NOUNS.returnedClient;
  const hasEarlier = (client: Client) => client.looks_like !== null;
  return {
    async showDuplicate(input) {
      const fits = ({ duplicate }: Client) => duplicate !== null;
      const title = t("Show the duplicate of which client?");
      const noun = NOUNS.claimedClient;
      const target = await targets.client(input, { title, noun, fits });
      if (target !== undefined) await showDuplicate(target);
    },
    async showEarlier(input) {
      const title = t("Show the earlier record of which client?");
      const target = await targets.client(input, { title, noun: cameBack, fits: hasEarlier });
      const earlier = target === undefined ? undefined : earlierOf(target);
      if (earlier !== undefined) await reveal(earlier);
    },
    async adoptRecord(input) {
      const title = t("Move the earlier record to which client?");
      const target = await targets.client(input, { title, noun: cameBack, fits: hasEarlier });
      if (target !== undefined) await adoptRecord(target);
    },
  };
}

function earlierOf({ server, client }: ClientTarget): ClientTarget | undefined {
  const earlier = server.mirror.maps.clients.get(client.looks_like ?? "");
  return earlier === undefined ? undefined : { server, client: earlier };
}

async function showDuplicate({ client }: ClientTarget): Promise<void> {
  const { duplicate } = client;
  if (duplicate === null) return;
  const copyAddress = t("Copy Its Address");
  const detail = [
    inertLine(duplicateSentence(duplicate)),
    t(
      "The host that was connected first stays, the other one is refused. To let both in, give the other one a client ID of its own: uninstall the agent there, and install it again.",
    ),
  ].join("\n\n");
  const chosen = await window.showWarningMessage(
    t("Two hosts claim to be {0}", inertLine(displayName(client))),
    { modal: true, detail },
    copyAddress,
  );
  if (chosen === copyAddress) await copyLines([duplicate.address]);
}

async function adoptRecord(target: ClientTarget): Promise<void> {
  const { server, client } = target;
  const earlier = earlierOf(target);
  if (earlier === undefined) return;
  const from = earlier.client;
  const here = inertLine(displayName(client));
  const there = inertLine(displayName(from));
  const tags = from.tags.length === 0 ? "" : ` (${inertLine(from.tags.join(", "))})`;
  const answer = await confirm({
    question: t("Move the record of {0} to {1} on {2}?", there, here, serversOf([target])),
    lines: [
      t(
        "{0} (client ID {1}) is offline, and {2} (client ID {3}) looks like the same machine.",
        there,
        inertLine(from.id),
        here,
        inertLine(client.id),
      ),
      t(
        "Its name, its tags{0}, its labels, its tunnels and its secrets go over, and the offline record goes. This cannot be undone.",
        tags,
      ),
    ],
    button: t("Move Record"),
  });
  if (answer !== "act") return;
  const params = { clientId: client.id };
  await server.api.call("adoptClient", { params, body: { from: from.id } });
}
