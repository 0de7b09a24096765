import { t } from "@vscode/l10n";
import { commands, type ExtensionContext } from "vscode";
import { Sheets } from "../install/sheets.ts";
import { COMMANDS } from "../manifest.ts";
import type { Nodes } from "../model/node.ts";
import { LOCAL_URL } from "../servers/config.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { LocalBackend } from "../servers/localBackend/localBackend.ts";
import { systemClock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Documents } from "../views/documents.ts";
import type { Views } from "../views/views.ts";
import { decideJoin } from "./joins.ts";
import type { Targets } from "./targets/targets.ts";

/** What sheets need of the window. */
export interface SheetsDeps {
  readonly fleet: Fleet;
  readonly nodes: Nodes;
  readonly views: Views;
  readonly documents: Documents;
  readonly targets: Targets;
  readonly log: Log;
  readonly local: LocalBackend;
}

/** The install sheets, and what of the commands they can set going. */
export function createSheets(context: ExtensionContext, deps: SheetsDeps): Sheets {
  const { fleet, nodes, views, documents, targets, log, local } = deps;
  return new Sheets({
    fleet,
    extensionUri: context.extensionUri,
    clock: systemClock,
    log,
    documents,
    memory: context.globalState,
    reveal: (serverKey, clientId) => views.revealClient(serverKey, clientId),
    decide: decideJoin,
    editLimits: async (serverKey, authId) => {
      const node = nodes.get({ kind: "credential", serverKey, authId });
      await commands.executeCommand(COMMANDS.editCredential, node);
    },
    allow: async (serverKey, clientId) => {
      const node = nodes.get({ kind: "client", serverKey, clientId, place: "clients" });
      await commands.executeCommand(COMMANDS.allowClient, node);
    },
    moveServer: async ({ key }) => {
      if (key !== LOCAL_URL || (await local.running())?.installation !== "editor") return false;
      await commands.executeCommand(COMMANDS.chooseLocalAddress);
      return true;
    },
    pickCredential: (server) => targets.credentialOf(server, t("Sign in with which credential?")),
  });
}
