import { t } from "@vscode/l10n";
import type { CommandName } from "../manifest.ts";
import { stateText } from "../model/rows/serverRow.ts";
import type { Fleet } from "../servers/fleet.ts";
import { isAway, type Server } from "../servers/server.ts";
import type { CommandInput } from "./registry.ts";

/** Commands that work on what is known, or on this computer, or bring a server back. */
const WITHOUT_SERVER: ReadonlySet<CommandName> = new Set([
  "addServer",
  "useLocalBackend",
  "startLocalBackend",
  "stopLocalBackend",
  "restartLocalBackend",
  "chooseLocalAddress",
  "showLocalLog",
  "signIn",
  "signOut",
  "signInAgain",
  "renameServer",
  "removeServer",
  "copyFingerprint",
  "reviewFingerprint",
  "refresh",
  "retryNow",
  "filterClients",
  "clearFilter",
  "showOfflineClients",
  "hideOfflineClients",
  "checkConnection",
  "groupClients",
  "sortClients",
  "pinClient",
  "unpinClient",
  "showWalkthrough",
  "goToClient",
  "showDetails",
  "showWhyOffline",
  "showTries",
  "copyClientName",
  "copyClientId",
  "copyClientAddress",
  "copyClientLink",
  "showDuplicate",
  "showEarlier",
  "typeIntoAll",
  "stopTypingIntoAll",
  "setUpSsh",
  "removeSsh",
  "setSshUser",
  "forgetTunnel",
  "closeTunnel",
  "closeAllTunnels",
  "copyTunnelAddress",
  "copyTunnelLink",
  "copyTunnelCommand",
  "copyAuthId",
  "showAudit",
  "filterAudit",
  "moreAudit",
  "refreshAudit",
  "showLog",
  "reportProblem",
  "openSettings",
]);

/**
 * Why a command cannot do its work because the server of its row, or every server, is away; undefined
 * when it can be tried.
 */
export function whyNotReachable(
  name: CommandName,
  { node, isKey }: Pick<CommandInput, "node" | "isKey">,
  { servers }: Pick<Fleet, "servers">,
): string | undefined {
  // a row of last time stands for nothing yet, not even for what is known
  const isOfLast = isKey && node?.kind === "client" && isUntold(servers, node.serverKey);
  if (WITHOUT_SERVER.has(name) && !isOfLast) return undefined;
  const asked = servers.filter(({ key }) => node === undefined || node.serverKey === key);
  const [first] = asked;
  if (first === undefined || asked.some((server) => !isAway(server))) return undefined;
  return awaySentence(first);
}

function isUntold(servers: readonly Server[], serverKey: string): boolean {
  return servers.some(({ key, mirror }) => key === serverKey && !mirror.isFilled);
}

function awaySentence({ name, state }: Server): string {
  const why = stateText(state);
  return t(
    "{0} is not connected{1}, so this has to wait. What the views show may be out of date.",
    name,
    why === "" ? "" : ` (${why})`,
  );
}
