import { window } from "vscode";
import type { Server } from "../servers/server.ts";
import { count, nameSome, plainText } from "../support/text.ts";
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
      const server = await targets.server(input, "Purge on which server?", isConnected);
      if (server !== undefined) await purgeUnused(server);
    },
  };
}

async function purgeUnused(server: Server): Promise<void> {
  const { credentials } = await server.api.call("purgeUnused", { body: { dry_run: true } });
  const name = plainText(server.name);
  if (credentials.length === 0) {
    void window.showInformationMessage(`Every credential of ${name} is in use.`);
    return;
  }
  const what = count(credentials.length, "unused credential");
  const answer = await confirm({
    question: `Delete ${what} on ${name}?`,
    lines: [
      nameSome(credentials, NAMES_MAX),
      "\nNo client has a record with them, and no pairing of them is open. Whoever still keeps one of their passwords can no longer join with it.",
    ],
    button: `Delete ${count(credentials.length, "Credential")}`,
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
    void window.showErrorMessage(`Not deleted for good: ${which}. ${why}`);
  }
  // somebody may have begun to use one meanwhile
  const told = new Set([...purged.credentials, ...failed.map(({ id }) => id)]);
  const kept = credentials.filter((id) => !told.has(id));
  if (kept.length === 0) return;
  void window.showInformationMessage(`Kept, because they are used now: ${kept.join(", ")}.`);
}
