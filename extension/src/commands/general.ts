import { commands } from "vscode";
import { SECTION, WALKTHROUGH } from "../manifest.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Handlers } from "./registry.ts";

/** What the commands without an object need. */
export interface GeneralCommandsDeps {
  readonly fleet: Fleet;
  readonly showLog: () => void;
}

/** Commands about the extension itself. */
export type GeneralHandlers = Pick<
  Handlers,
  "refresh" | "retryNow" | "showLog" | "openSettings" | "showWalkthrough"
>;

/** Refreshing, the log, the settings. */
export function generalHandlers({ fleet, showLog }: GeneralCommandsDeps): GeneralHandlers {
  return {
    async refresh() {
      for (const server of fleet.servers) {
        // a person has to act first on the others
        if (server.state.kind !== "signedOut" && server.state.kind !== "changed") server.connect();
      }
    },
    async retryNow() {
      for (const server of fleet.servers) server.retryNow();
    },
    async showLog() {
      showLog();
    },
    async showWalkthrough() {
      await commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH, false);
    },
    async openSettings() {
      await commands.executeCommand("workbench.action.openSettings", `@ext:rport.${SECTION}`);
    },
  };
}
