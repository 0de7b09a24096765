import { randomBytes } from "node:crypto";
import type { TerminalWish } from "@rport/protocol/terminal/terminal";
import { workspace } from "vscode";
import { SECTION, SETTINGS } from "../manifest.ts";

/** As many as nobody guesses. */
const NONCE_BYTES = 16;

/** What a shell proves its marks with in one terminal: the editor takes no command line without it for typed. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString("base64url");
}

/** What a new shell is asked for; undefined: no marks, because the person wants none. */
export function wantedMarks(
  nonce: string,
): Extract<TerminalWish, { readonly kind: "new" }>["marks"] {
  const isOff = workspace.getConfiguration(SECTION).get(SETTINGS.shellIntegration) === false;
  return isOff ? undefined : { nonce };
}
