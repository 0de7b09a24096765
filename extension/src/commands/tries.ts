import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { displayName } from "../model/arrange.ts";
import { isOfRevoked } from "../model/outcome.ts";
import type { OutcomeDeps } from "./outcomes.ts";
import type { Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

/** What showing who still tries needs. */
export interface TriesDeps extends OutcomeDeps {
  readonly targets: Targets;
}

/** Looking, at any time, at who still tries to get in although it was shut out. */
export function triesHandlers({ targets, documents }: TriesDeps): Pick<Handlers, "showTries"> {
  return {
    async showTries(input) {
      const fits = ({ revoked_at: at }: Client) => at !== null;
      const asked = {
        title: t("Who still tries as which client?"),
        noun: NOUNS.revokedClient,
        fits,
      };
      const target = await targets.client(input, asked);
      if (target === undefined) return;
      const { server, client } = target;
      await documents.showOutcome(server.key, {
        title: t("{0} was revoked", displayName(client)),
        atMs: client.revoked_at === null ? server.time.nowMs : Date.parse(client.revoked_at),
        report: undefined,
        isMeant: isOfRevoked(client.id),
        before: new Map(),
      });
    },
  };
}
