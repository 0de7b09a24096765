import { t } from "@vscode/l10n";
import { ProgressLocation, window, workspace } from "vscode";
import { checkText } from "../../servers/checks/checkLine.ts";
import { networkProbes } from "../../servers/checks/networkProbes.ts";
import { proxyInUse } from "../../servers/checks/proxyInUse.ts";
import { checkServer } from "../../servers/checks/serverCheck.ts";
import type { Server } from "../../servers/server.ts";
import type { Authorities } from "../../servers/trust/authorities.ts";
import type { Environment } from "../../support/environment.ts";
import type { Documents } from "../../views/documents.ts";

/** What checking a connection needs. */
export interface CheckConnectionDeps {
  readonly environment: Environment;
  readonly documents: Documents;
  readonly authorities: Pick<Authorities, "get">;
}

/** Walks from the editor to a server, and opens what each step found. */
export async function checkConnection(server: Server, deps: CheckConnectionDeps): Promise<void> {
  const title = t("Connection to {0}", server.name);
  const location = ProgressLocation.Notification;
  // where the file cannot be read, the answer's own line says so
  const ca = await deps.authorities.get().catch(() => undefined);
  const checked = { ...factsOf(server), proxy: proxyOf(server, deps.environment), ca };
  const check = { network: networkProbes, ask: () => server.api.ask(), nowMs: Date.now };
  const checking = { location, title: t("Checking the Connection to {0}...", server.name) };
  const lines = await window.withProgress(checking, () => checkServer(checked, check));
  await deps.documents.showGuide(title, checkText(title, lines));
}

function factsOf({ isLocal, address, fingerprint, tlsPin }: Server) {
  return { isLocal, address, fingerprint, tlsPin };
}

/** A local backend and one with a TLS key of its own are connected to without the editor's proxy. */
function proxyOf(server: Server, environment: Environment): string | undefined {
  if (server.isLocal || server.tlsPin !== undefined) return undefined;
  const settings = workspace.getConfiguration("http");
  return proxyInUse(server.address, {
    setting: settings.get("proxy", ""),
    exceptions: settings.get<readonly string[]>("noProxy", []),
    environment,
  });
}
