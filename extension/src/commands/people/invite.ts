import type { NewInvitation } from "@rport/protocol/people/invitation";
import type { GroupName } from "@rport/protocol/people/user";
import { t } from "@vscode/l10n";
import { env, window } from "vscode";
import { until } from "../../model/relativeTime.ts";
import type { Server } from "../../servers/server.ts";
import { plainText } from "../../support/text.ts";
import { pickGroups } from "./groups.ts";

/** What inviting needs. */
export interface InviteDeps {
  /** Has the lists that were fetched of users fetched again. */
  readonly refresh: () => void;
}

const COPY_ALL = t("Copy Address and Code");
const COPY_CODE = t("Copy Code");

/** Makes a code that turns one person into a user, and shows it. */
export async function inviteUser(server: Server, { refresh }: InviteDeps): Promise<void> {
  const where = plainText(server.name);
  const name = await window.showInputBox({
    title: t("Invite User to {0}", where),
    prompt: t(
      "Who is it for? Shown to administrators; the user name is chosen by the one invited.",
    ),
    placeHolder: t("Anna, operations"),
    ignoreFocusOut: true,
    validateInput: (text) => (text.length > 200 ? t("At most 200 characters.") : undefined),
  });
  if (name === undefined) return;
  const who = plainText(name);
  const whose = who === "" ? t("Groups of the new user") : t("Groups of {0}", who);
  const groups = await pickGroups(server, whose, []);
  if (groups === undefined) return;
  const body = { groups: [...groups] as GroupName[], display_name: name.trim() };
  const invitation = await server.api.call("createInvitation", { body });
  refresh();
  await showCode(server, invitation, server.time.nowMs);
}

async function showCode(server: Server, invitation: NewInvitation, nowMs: number): Promise<void> {
  const { code, groups, display_name: name, expires_at: end } = invitation;
  const detail = [
    code,
    "",
    t("It works once, and ends {0}. It is shown this once.", until(end, nowMs)),
    t("Address: {0}", server.address),
    groups.length === 0 ? t("Groups: none") : t("Groups: {0}", groups.map(plainText).join(", ")),
    "",
    t(
      'To be typed in the colleague\'s editor: "RPort: Add Server...", the address, then "Invitation code". Whoever has the code first becomes the user, so send it where only the colleague reads.',
    ),
  ].join("\n");
  const who = plainText(name);
  const chosen = await window.showInformationMessage(
    who === "" ? t("Code for a new user") : t("Code for {0}", who),
    { modal: true, detail },
    COPY_ALL,
    COPY_CODE,
  );
  if (chosen === COPY_CODE) await env.clipboard.writeText(code);
  if (chosen === COPY_ALL) await env.clipboard.writeText(`${server.address}\n${code}`);
}
