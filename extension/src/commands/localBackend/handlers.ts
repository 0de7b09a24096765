import { access } from "node:fs/promises";
import { t } from "@vscode/l10n";
import { commands, Uri, window } from "vscode";
import { dataDirOf } from "../../servers/config.ts";
import { plainText } from "../../support/text.ts";
import type { CommandInput, Handlers } from "../registry.ts";
import type { LocalCommandsDeps } from "./localDeps.ts";
import { startLocal } from "./startLocal.ts";
import { chooseLocalAddress, restartLocal, stopLocal } from "./stopLocal.ts";
import { useLocalBackend } from "./useLocal.ts";

/** Commands that a backend of this computer is the object of. */
export type LocalHandlers = Pick<
  Handlers,
  | "startLocalBackend"
  | "stopLocalBackend"
  | "restartLocalBackend"
  | "showLocalLog"
  | "chooseLocalAddress"
  | "useLocalBackend"
>;

/** Starting, finding, moving, reading and ending the backend of this computer. */
export function localHandlers(deps: LocalCommandsDeps): LocalHandlers {
  return {
    startLocalBackend: () => startLocal(deps),
    stopLocalBackend: (input) => stopLocal(input, deps),
    restartLocalBackend: (input) => restartLocal(input, deps),
    chooseLocalAddress: (input) => chooseLocalAddress(input, deps),
    showLocalLog: (input) => showLocalLog(input, deps),
    useLocalBackend: () => useLocalBackend(deps),
  };
}

async function showLocalLog(
  input: CommandInput,
  { targets, local }: LocalCommandsDeps,
): Promise<void> {
  const title = t("Show the log of which local backend?");
  const server = await targets.server(input, title, ({ isLocal }) => isLocal);
  if (server === undefined) return;
  const path = local.logFile(dataDirOf(server.key));
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    void window.showInformationMessage(
      t(
        "{0} has no log of the editor's. One that was started in another way logs where it was started.",
        plainText(server.name),
      ),
    );
    return;
  }
  await window.showTextDocument(Uri.file(path), { preview: false });
  await commands.executeCommand("workbench.action.files.setActiveEditorReadonlyInSession");
}
