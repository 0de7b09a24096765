import { t } from "@vscode/l10n";
import { systemCode } from "../../support/describeError.ts";

/** Why a file that somebody named cannot be opened, in words that may follow a colon. */
export function describeFileError(error: unknown): string {
  const code = systemCode(error) ?? t("an unknown error");
  switch (code) {
    case "ENOENT":
      return t("there is no such file");
    case "ENOTDIR":
      return t("there is no such file");
    case "EACCES":
      return t("you are not allowed to read it");
    case "EPERM":
      return t("you are not allowed to read it");
    case "EISDIR":
      return t("it is not a file");
    default:
      return code;
  }
}
