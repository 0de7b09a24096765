import { t } from "@vscode/l10n";
import { window } from "vscode";
import type { Server } from "../servers/server.ts";
import { plural } from "../support/plural.ts";
import { nameSome, plainText } from "../support/text.ts";
import { confirm } from "./confirm.ts";
import type { Handlers } from "./registry.ts";
import type { Targets } from "./targets/targets.ts";

/** Names in the question; more are counted. */
const NAMES_MAX = 20;

/** Deleting all credentials that nobody uses, after a look at them. */
export function purgeHandlers(targets: Targets): Pick<Handlers, "purgeUnused"> {
  return {
    async purgeUnused(input) {
      const isConnected = ({ state }: Server) => state.kind === "connected";
      const server = await targets.server(input, t("Purge on which server?"), isConnected);
      if (server !== undefined) await purgeUnused(server);
    },
  };
}

async function purgeUnused(server: Server): Promise<void> {
  const { credentials } = await server.api.call("purgeUnused", { body: { dry_run: true } });
  const name = plainText(server.name);
  if (credentials.length === 0) {
    void window.showInformationMessage(t("Every credential of {0} is in use.", name));
    return;
  }
  const { length } = credentials;
  const answer = await confirm({
    question: plural(
      length,
      t("Delete {0} unused credential on {1}?", length, name),
      t("Delete {0} unused credentials on {1}?", length, name),
    ),
    lines: [
      nameSome(credentials, NAMES_MAX),
      plural(
        length,
        t(
          "\nNo client has a record with it, and no pairing of it is open. Whoever still keeps its password can no longer join with it.",
        ),
        t(
          "\nNo client has a record with them, and no pairing of them is open. Whoever still keeps one of their passwords can no longer join with it.",
        ),
      ),
    ],
    button: plural(length, t("Delete {0} Credential", length), t("Delete {0} Credentials", length)),
  });
  if (answer !== "act") return;
  const purged = await server.api.call("purgeUnused", { body: { dry_run: false } });
  const { failed } = purged;
  if (failed.length > 0) {
    const why = plainText(failed[0]?.title ?? "");
    const which = nameSome(
      failed.map(({ id }) => id),
      NAMES_MAX,
    );
    void window.showErrorMessage(t("Not deleted for good: {0}. {1}", which, why));
  }
  // somebody may have begun to use one meanwhile
  const told = new Set([...purged.credentials, ...failed.map(({ id }) => id)]);
  const kept = credentials.filter((id) => !told.has(id));
  if (kept.length === 0) return;
  const names = kept.join(", ");
  void window.showInformationMessage(
    plural(
      kept.length,
      t("Kept, because it is used now: {0}.", names),
      t("Kept, because they are used now: {0}.", names),
    ),
  );
}
