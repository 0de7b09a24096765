import { ConfigurationTarget, workspace } from "vscode";
import { SECTION, SETTINGS } from "../../manifest.ts";
import type { Handlers } from "../registry.ts";

/** Commands that say whether clients that are offline are shown. */
export type OfflineHandlers = Pick<Handlers, "showOfflineClients" | "hideOfflineClients">;

/** Showing and hiding offline clients is a setting, so that it lasts and can be the workspace's. */
export function offlineHandlers(): OfflineHandlers {
  return {
    showOfflineClients: () => set(true),
    hideOfflineClients: () => set(false),
  };
}

/** Written where it counts: a workspace that has a value of its own would hide the person's. */
async function set(isShown: boolean): Promise<void> {
  const settings = workspace.getConfiguration(SECTION);
  const ofWorkspace = settings.inspect(SETTINGS.showOffline)?.workspaceValue;
  const { Global, Workspace } = ConfigurationTarget;
  if (ofWorkspace === undefined) {
    await settings.update(SETTINGS.showOffline, isShown ? undefined : false, Global);
  } else await settings.update(SETTINGS.showOffline, isShown, Workspace);
}
