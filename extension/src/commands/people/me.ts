import type { Token } from "@rport/protocol/people/token";
import { t } from "@vscode/l10n";
import { type QuickPickItem, QuickPickItemKind, ThemeIcon, window } from "vscode";
import { joinDots } from "../../model/rows/row.ts";
import { tokenWords } from "../../model/rows/userRow.ts";
import type { Server } from "../../servers/server.ts";
import { plainText } from "../../support/text.ts";
import { confirm } from "../confirm.ts";
import type { Handlers } from "../registry.ts";
import type { Targets } from "../targets/targets.ts";
import { changePassword } from "./password.ts";
import { setUpSecondFactor } from "./secondFactor.ts";

/** What the commands on one's own account need. */
export interface MeCommandsDeps {
  readonly targets: Targets;
}

/** Commands that one's own account is the object of. */
export type MeHandlers = Pick<Handlers, "manageTokens" | "setUpSecondFactor" | "changePassword">;

/** Tokens, authenticator app and password of whoever is signed in. */
export function meHandlers({ targets }: MeCommandsDeps): MeHandlers {
  const hasAccount = ({ rights }: Server) => rights.account;
  return {
    async manageTokens(input) {
      const server = await targets.server(input, t("Tokens on which server?"), hasAccount);
      if (server !== undefined) await manageTokens(server);
    },
    async setUpSecondFactor(input) {
      const title = t("Set up an app for which server?");
      const server = await targets.server(input, title, hasAccount);
      if (server !== undefined) await setUpSecondFactor(server);
    },
    async changePassword(input) {
      const title = t("Change your password on which server?");
      const server = await targets.server(input, title, hasAccount);
      if (server !== undefined) await changePassword(server);
    },
  };
}

interface TokenItem extends QuickPickItem {
  readonly token?: Token;
}

/** Lists the personal tokens until the list is closed; choosing one ends it. */
async function manageTokens(server: Server): Promise<void> {
  for (;;) {
    const tokens = await server.api.call("listTokens");
    const items: TokenItem[] = tokens.map((token) => ({
      label: plainText(token.name),
      iconPath: new ThemeIcon("key"),
      description: plainText(joinDots(...tokenWords(token, server.time.nowMs))),
      token,
    }));
    if (items.length === 0)
      items.push({ label: t("You have no token"), kind: QuickPickItemKind.Default });
    const chosen = await window.showQuickPick(items, {
      title: t("Your Tokens on {0}", plainText(server.name)),
      placeHolder: t("Each lets a program act as you. Choose one to end it."),
      matchOnDescription: true,
    });
    if (chosen?.token === undefined || !(await endOwn(server, chosen.token))) return;
  }
}

/** Answers whether there is more to choose. */
async function endOwn(server: Server, token: Token): Promise<boolean> {
  const answer = await confirm({
    question: t("End the token {0}?", plainText(token.name)),
    lines: [
      token.current
        ? t("It is the one of this editor: you are signed out here at once.")
        : t("Whoever uses it is signed out at once, and what is open with it ends."),
    ],
    button: t("End Token"),
  });
  if (answer !== "act") return true;
  await server.api.call("deleteToken", { params: { prefix: token.prefix } });
  return !token.current;
}
