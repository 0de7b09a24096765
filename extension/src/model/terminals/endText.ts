import type { TerminalEnd } from "@rport/protocol/terminal/terminal";
import { t } from "@vscode/l10n";
import { inertLine } from "../../support/text.ts";

/** How a terminal ended, as a sentence. What hosts say of it can do nothing in a terminal. */
export function endText({ how, code, signal, text = "" }: TerminalEnd): string {
  switch (how) {
    case "exit":
      return t("The shell ended with exit code {0}.", code ?? 0);
    case "signal":
      return t("The shell was ended by the signal {0}.", inertLine(signal ?? "?"));
    case "idle":
      return t("Nobody used it for as long as the host allows.");
    case "left":
      return t("Nobody came back to it for five minutes.");
    case "closed":
      return t("It was ended elsewhere.");
    case "forbidden":
      return t("You may not use terminals of this host any more.");
    case "stopped":
      return t("The host's agent was stopped.");
    case "failed":
      return text === "" ? t("It could not go on.") : inertLine(text);
  }
}
