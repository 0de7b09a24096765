import { t } from "@vscode/l10n";
import { window } from "vscode";
import { type Door, endToken } from "../../servers/signIn.ts";
import type { KeptToken, Tokens } from "../../servers/tokens.ts";
import { plainText } from "../../support/text.ts";
import { confirm } from "../confirm.ts";

const FOR_SESSION = t(
  "For this session only, it stays in the memory of this window and is written nowhere. Sign out before you close the window, or the token stays valid on the server until somebody ends it there.",
);
const ON_LINUX = t(
  "On Linux, a keyring such as GNOME Keyring or KWallet has to be installed and unlocked when the editor starts.",
);

/** What keeping a token needs. */
export interface KeepTokenDeps {
  readonly tokens: Pick<Tokens, "set" | "holdForSession">;
}

/**
 * Keeps the token of a sign-in. Where the keyring does not take it, somebody is asked whether to stay signed in
 * until the window closes, and nothing is written anywhere. False: nobody is signed in, and a token that was
 * made for this editor has ended.
 */
export async function keepToken(
  door: Door,
  token: KeptToken,
  { tokens }: KeepTokenDeps,
): Promise<boolean> {
  const why = await tokens.set(door.url, token);
  if (why === undefined) return true;
  if (await wantsSession(why)) {
    tokens.holdForSession(door.url, token);
    return true;
  }
  const alive = token.made ? await endToken(door, token) : undefined;
  if (alive !== undefined) void window.showWarningMessage(plainText(stillValid(alive)));
  return false;
}

async function wantsSession(why: string): Promise<boolean> {
  const question = t("The keyring of this computer does not keep the sign-in.");
  const lines = [t("It says: {0}", plainText(why)), FOR_SESSION, ON_LINUX];
  return (await confirm({ question, lines, button: t("For This Session Only") })) === "act";
}

/** What somebody is told whose token lives on though nobody has it any more. */
export function stillValid(why: string): string {
  return t(
    'The server could not be told, so the token that this editor had still works there: end it with "Manage My Tokens..." from another sign-in, or have an administrator end it. ({0})',
    why,
  );
}
