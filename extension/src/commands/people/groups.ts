import { ADMINISTRATORS, PERMISSIONS, type Permissions } from "@rport/protocol/people/right";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import type { Server } from "../../servers/server.ts";
import { plainText } from "../../support/text.ts";

/** Asks which groups somebody is in; undefined when the list was closed. */
export async function pickGroups(
  server: Server,
  title: string,
  chosen: readonly string[],
): Promise<readonly string[] | undefined> {
  const groups = await server.api.call("listUserGroups");
  const choices = groups.map(({ name, permissions }) => ({
    label: plainText(name),
    description: name === ADMINISTRATORS ? t("may everything") : permissionText(permissions),
    picked: chosen.includes(name),
    name,
  }));
  const picked = await window.showQuickPick(choices, {
    title,
    canPickMany: true,
    ignoreFocusOut: true,
    placeHolder: t("A group gives permissions, and decides which clients its members see"),
  });
  return picked?.map(({ name }) => name);
}

function permissionText(permissions: Permissions): string {
  return PERMISSIONS.filter((name) => permissions[name]).join(", ") || t("no permission");
}
