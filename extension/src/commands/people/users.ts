import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { GroupName, User } from "@rport/protocol/people/user";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import { endedLines } from "../../model/rows/userRow.ts";
import { accessName } from "../../model/userAccess.ts";
import type { Server } from "../../servers/server.ts";
import { plainText } from "../../support/text.ts";
import { confirm } from "../confirm.ts";
import type { Handlers } from "../registry.ts";
import { pickGroups } from "./groups.ts";
import { type InviteDeps, inviteUser } from "./invite.ts";
import { rotateKnown } from "./knownSecrets.ts";
import { setUpSecondFactor } from "./secondFactor.ts";
import { type AccessTarget, nameOfUser, type UserTarget, type UserTargets } from "./userTargets.ts";

/** What the commands on users need. */
export interface UserCommandsDeps extends InviteDeps {
  readonly users: UserTargets;
}

/** Commands of administrators that users are the object of. */
export type UserHandlers = Pick<
  Handlers,
  | "inviteUser"
  | "editUserGroups"
  | "disableUser"
  | "enableUser"
  | "endUserAccess"
  | "resetSecondFactor"
  | "rotateKnown"
  | "endInvitation"
>;

/** Inviting and disabling users, and ending what they have. */
export function userHandlers(deps: UserCommandsDeps): UserHandlers {
  const { users, refresh } = deps;
  return {
    async inviteUser(input) {
      const server = await users.server(input, t("Invite somebody to which server?"));
      if (server !== undefined) await inviteUser(server, deps);
    },
    async editUserGroups(input) {
      const target = await users.user(input, t("Change the groups of which user?"));
      if (target !== undefined) await editGroups(target);
    },
    async disableUser(input) {
      const isEnabled = ({ disabled }: User) => !disabled;
      const target = await users.user(input, t("Disable which user?"), isEnabled);
      if (target !== undefined) await disableUser(target);
    },
    async enableUser(input) {
      const target = await users.user(input, t("Enable which user?"), ({ disabled }) => disabled);
      if (target === undefined) return;
      await target.server.api.call("enableUser", { params: { userName: target.user.username } });
      tell(t("{0} can sign in again. What had ended does not come back.", nameOfUser(target)));
    },
    async endUserAccess(input) {
      const target = await users.access(input, t("End which session or token?"));
      if (target === undefined || !(await endAccess(target))) return;
      target.server.people.access.clear();
      refresh();
    },
    async resetSecondFactor(input) {
      const target = await users.user(input, t("Reset whose second factor?"), ({ totp }) => totp);
      if (target === undefined) return;
      const { server, user } = target;
      // About oneself, the server asks for a code here, too.
      if (user.username === server.rights.username) await setUpSecondFactor(server);
      else await resetSecondFactor(target);
    },
    async rotateKnown(input) {
      const target = await users.user(input, t("Rotate what which user knows?"));
      if (target !== undefined) await rotateKnown(target);
    },
    async endInvitation(input) {
      const target = await users.invitation(input, t("Withdraw which invitation?"));
      if (target === undefined) return;
      const { server, invitation } = target;
      await server.api.call("deleteInvitation", { params: { invitationId: invitation.id } });
      refresh();
    },
  };
}

async function editGroups(target: UserTarget): Promise<void> {
  const { server, user } = target;
  const groups = await pickGroups(server, t("Groups of {0}", nameOfUser(target)), user.groups);
  if (groups === undefined) return;
  const params = { userName: user.username };
  await server.api.call("updateUser", { params, body: { groups: [...groups] as GroupName[] } });
}

async function disableUser(target: UserTarget): Promise<void> {
  const { server, user } = target;
  const params = { userName: user.username };
  const query = { dry_run: "true" };
  const name = nameOfUser(target);
  const ended = endedLines(await server.api.call("disableUser", { params, query }));
  const answer = await confirm({
    question: t("Disable {0}?", name),
    lines: [
      ended.length === 0
        ? t("Nothing of this user is open now.")
        : t("Ended at once: {0}.", ended.join(", ")),
      t(
        "Nobody can sign in as this user until you enable it again. Tokens that end do not come back.",
      ),
      t(
        "Tunnels on the server and clients that were installed stay. What the user knows of secrets is not changed: rotate it afterwards.",
      ),
    ],
    button: t("Disable"),
  });
  if (answer !== "act") return;
  const done = endedLines(await server.api.call("disableUser", { params }));
  const rotate = t("Rotate What This User Knows...");
  const said =
    done.length === 0
      ? t("{0} is disabled; nothing was open.", name)
      : t("{0} is disabled; ended: {1}.", name, done.join(", "));
  const chosen = await window.showInformationMessage(said, rotate);
  if (chosen === rotate) await rotateKnown(target);
}

async function endAccess({ server, user, access }: AccessTarget): Promise<boolean> {
  const what = plainText(accessName(access));
  const answer = await confirm({
    question: t("End {0} of {1}?", what, nameOfUser({ server, user })),
    lines: [t("What is open with it ends at once. The user can sign in anew.")],
    button: t("End"),
  });
  if (answer !== "act") return false;
  const userName = user.username;
  if (access.kind === "token") {
    const { prefix } = access.token;
    await server.api.call("deleteUserToken", { params: { userName, prefix } });
  } else {
    const sessionId = String(access.session.session_id);
    await endSession(server, userName, sessionId);
  }
  return true;
}

async function endSession(server: Server, userName: User["username"], sessionId: string) {
  await server.api.call("deleteSession", { params: { userName, sessionId } });
}

async function resetSecondFactor(target: UserTarget): Promise<void> {
  const { server, user } = target;
  const answer = await confirm({
    question: t("Reset the second factor of {0}?", nameOfUser(target)),
    lines: [
      t("Signing in takes the password alone until the user sets up an app again."),
      user.groups.includes(ADMINISTRATORS as GroupName)
        ? t("This user is an administrator: make sure who asks you for this.")
        : "",
    ],
    button: t("Reset"),
  });
  if (answer !== "act") return;
  await server.api.call("deleteUserTotp", { params: { userName: user.username } });
  tell(t("{0} signs in with the password alone.", nameOfUser(target)));
}

function tell(sentence: string): void {
  void window.showInformationMessage(sentence);
}
