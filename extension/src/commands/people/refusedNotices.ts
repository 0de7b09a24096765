import { t } from "@vscode/l10n";
import { commands, window } from "vscode";
import { COMMANDS } from "../../manifest.ts";
import { refusalText } from "../../model/rows/serverRow.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import type { Unsubscribe } from "../../support/listeners.ts";
import { plainText } from "../../support/text.ts";

const AGAIN = t("Sign In Again...");

/** Says once when a server has turned the sign-in of this editor down, and why. */
export class RefusedNotices {
  readonly #unsubscribe: Unsubscribe;

  constructor(fleet: Fleet) {
    this.#unsubscribe = fleet.changed.add((event) => {
      if (event.kind === "server" && event.change.kind === "state") void tell(event.server);
    });
  }

  /** Says nothing any more. */
  dispose(): void {
    this.#unsubscribe();
  }
}

async function tell({ name, state }: Server): Promise<void> {
  const text = refusalText(state);
  if (text === undefined) return;
  const chosen = await window.showWarningMessage(`${plainText(name)}: ${text}`, AGAIN);
  if (chosen === AGAIN) await commands.executeCommand(COMMANDS.signInAgain);
}
