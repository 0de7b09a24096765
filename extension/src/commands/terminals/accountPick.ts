import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { accountsOf } from "../../model/terminals/terminalOffer.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { plainText } from "../../support/text.ts";
import type { HostTerminals } from "../../terminals/hostTerminals.ts";

/** As whom a shell is to run. */
export interface ChosenAccount {
  /** Undefined: as the host has it. */
  readonly account: string | undefined;
}

interface Choice extends QuickPickItem, ChosenAccount {}

/** Asks as whom, where the host leaves a choice: the one of last time comes first, else the usual one. */
export async function pickAccount(
  target: ClientTarget,
  terminals: Pick<HostTerminals, "accountOf" | "chooseAccount">,
): Promise<ChosenAccount | undefined> {
  const [usual, ...others] = accountsOf(target.client);
  if (usual === undefined || others.length === 0) return { account: undefined };
  const last = terminals.accountOf(target) ?? usual;
  const rest = [usual, ...others].filter((account) => account !== last);
  const choices = [last, ...rest].map((account): Choice => {
    const description = account === usual ? t("usual") : "";
    return { label: plainText(account), description, account };
  });
  const title = t("Open a terminal on {0} as whom?", plainText(displayName(target.client)));
  const chosen = await window.showQuickPick(choices, { title });
  if (chosen?.account === undefined) return undefined;
  terminals.chooseAccount(target, chosen.account);
  return { account: chosen.account };
}
