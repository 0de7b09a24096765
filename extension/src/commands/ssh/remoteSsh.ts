import { t } from "@vscode/l10n";
import { commands, env, extensions, UIKind, window } from "vscode";

/** Those who open a window on a host by `ssh`, the usual one first; they take the same address. */
const REMOTE_SSH = ["ms-vscode-remote.remote-ssh", "jeanp413.open-remote-ssh"] as const;

/** Which window is to be one on the host. */
export type Where = "thisWindow" | "newWindow";

/** Opens a window of the editor on what `ssh` knows by this name, or says what is missing for it. */
export async function openRemoteWindow(alias: string, where: Where): Promise<void> {
  if (!(await hasRemoteSsh())) return;
  await commands.executeCommand("vscode.newWindow", {
    remoteAuthority: `ssh-remote+${alias}`,
    reuseWindow: where === "thisWindow",
  });
}

async function hasRemoteSsh(): Promise<boolean> {
  if (env.uiKind === UIKind.Web) {
    void window.showWarningMessage(
      t("This editor runs in a browser, where Remote-SSH does not: use ssh in a terminal."),
    );
    return false;
  }
  if (REMOTE_SSH.some((id) => extensions.getExtension(id) !== undefined)) return true;
  const show = t("Show Extension");
  const missing = t("The extension Remote - SSH, which opens windows on hosts, is not installed.");
  if ((await window.showWarningMessage(missing, show)) === show) {
    await commands.executeCommand("workbench.extensions.search", `@id:${REMOTE_SSH[0]}`);
  }
  return false;
}
