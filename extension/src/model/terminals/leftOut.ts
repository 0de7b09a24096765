import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { inertLine, nameSome } from "../../support/text.ts";
import { displayName, statusOf } from "../arrange.ts";
import { NAMES_MAX } from "../blast.ts";
import { whyNoTerminal } from "./terminalOffer.ts";

/** Why a client gives no terminal now, in a few words; undefined: it gives one. */
export function whyLeftOut(client: Client): string | undefined {
  if (statusOf(client) === "offline") return t("offline");
  return whyNoTerminal(client)?.inShort;
}

/** One sentence on clients that give no terminal, with the reasons; undefined: all of them do. */
export function leftOutText(clients: readonly Client[]): string | undefined {
  const byReason = Map.groupBy(clients, (client) => whyLeftOut(client) ?? "");
  byReason.delete("");
  if (byReason.size === 0) return undefined;
  const parts = [...byReason].map(([reason, those]) => {
    const names = those.map((client) => inertLine(displayName(client)));
    return `${nameSome(names, NAMES_MAX)} (${reason})`;
  });
  return t("No terminal on {0}.", parts.join("; "));
}
