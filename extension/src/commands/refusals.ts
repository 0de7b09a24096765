import { t } from "@vscode/l10n";
import type { Server } from "../servers/server.ts";
import type { Handlers } from "./registry.ts";
import type { Targets } from "./targets/targets.ts";

/** Forgetting who was turned away. */
export function refusalHandlers(targets: Targets): Pick<Handlers, "clearRefusals"> {
  return {
    async clearRefusals(input) {
      const hasSome = ({ mirror }: Server) => mirror.maps.refusals.size > 0;
      const server = await targets.server(
        input,
        t("Clear the refused joins of which server?"),
        hasSome,
      );
      if (server !== undefined) await server.api.call("clearRefusals");
    },
  };
}
