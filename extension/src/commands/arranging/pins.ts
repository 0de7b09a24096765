import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import type { ClientTarget } from "../../servers/entities.ts";
import type { Server } from "../../servers/server.ts";
import type { Arrangements } from "../../views/arrangements.ts";
import type { Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";

/** Commands that put clients above the others. */
export type PinHandlers = Pick<Handlers, "pinClient" | "unpinClient">;

/** What these commands need. */
export interface PinDeps {
  readonly targets: Targets;
  readonly arrangements: Arrangements;
}

/** Pinning clients, as many at once as are selected. */
export function pinHandlers({ targets, arrangements }: PinDeps): PinHandlers {
  const change = (chosen: readonly ClientTarget[], isPinned: boolean) => {
    for (const [server, of] of Map.groupBy(chosen, (target) => target.server)) {
      const ids = of.map(({ client }) => client.id);
      const whyNot = arrangements.pin(server.key, ids, isPinned);
      if (whyNot !== undefined) void window.showInformationMessage(whyNot);
    }
  };
  return {
    async pinClient(input) {
      const asked = { title: t("Pin which client?"), noun: NOUNS.client };
      const chosen = await targets.clients(input, asked);
      if (chosen !== undefined) change(chosen, true);
    },
    async unpinClient(input) {
      const asked = { title: t("Unpin which client?"), noun: NOUNS.pinnedClient };
      const fits = ({ id }: Client, { key }: Server) => arrangements.isPinned(key, id);
      const chosen = await targets.clients(input, { ...asked, fits });
      if (chosen !== undefined) change(chosen, false);
    },
  };
}
