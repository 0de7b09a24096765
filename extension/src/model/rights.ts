import { ALL_PERMISSIONS, NO_PERMISSIONS, type Right } from "@rport/protocol/people/right";
import type { Me } from "@rport/protocol/people/user";
import { t } from "@vscode/l10n";

/** Who somebody is to a server, and what that person may do there. */
export type Rights = Pick<
  Me,
  "username" | "administrator" | "effective_user_permissions" | "account" | "totp"
>;

/** Nobody has said yet who this is: as good as no rights at all. */
export const UNKNOWN: Rights = {
  username: "" as Me["username"],
  administrator: false,
  effective_user_permissions: NO_PERMISSIONS,
  account: false,
  totp: false,
};

/** The one user of a server that has no users. */
export const EVERYTHING: Rights = {
  ...UNKNOWN,
  administrator: true,
  effective_user_permissions: ALL_PERMISSIONS,
};

/** Whether these rights are enough for something. */
export function may(rights: Rights, right: Right): boolean {
  if (right === "nobody" || right === "signingIn" || right === "user") return true;
  if (rights.administrator) return true;
  return right !== "administrator" && rights.effective_user_permissions[right];
}

/** Why somebody may not do what needs this right, as a sentence. */
export function whyNot({ username }: Rights, right: Right, serverName: string): string {
  if (right === "administrator") {
    return username === ""
      ? t("You may not do this on {0}: it is for its administrators.", serverName)
      : t("You ({0}) may not do this on {1}: it is for its administrators.", username, serverName);
  }
  return username === ""
    ? t(
        'You may not do this on {0}: none of your groups has the permission "{1}". Ask an administrator for it.',
        serverName,
        right,
      )
    : t(
        'You ({0}) may not do this on {1}: none of your groups has the permission "{2}". Ask an administrator for it.',
        username,
        serverName,
        right,
      );
}
