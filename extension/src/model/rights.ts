import { ALL_PERMISSIONS, NO_PERMISSIONS, type Right } from "@rport/protocol/people/right";
import type { Me } from "@rport/protocol/people/user";

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
  const who = username === "" ? "You" : `You (${username})`;
  return right === "administrator"
    ? `${who} may not do this on ${serverName}: it is for its administrators.`
    : `${who} may not do this on ${serverName}: none of your groups has the permission "${right}". Ask an administrator for it.`;
}
