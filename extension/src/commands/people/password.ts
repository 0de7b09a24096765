import { t } from "@vscode/l10n";
import { window } from "vscode";
import type { Server } from "../../servers/server.ts";
import { plainText } from "../../support/text.ts";
import { askText, MISSING, SECRET } from "./ask.ts";
import { type Step, takeSteps } from "./steps.ts";

const TOTAL = 3;

/** Takes the old password, and twice the new one. */
export async function changePassword(server: Server): Promise<void> {
  const title = t("Change Password on {0}", plainText(server.name));
  let old = "";
  let next = "";
  const first: Step = async (place) => {
    const answer = await askText({
      ...SECRET,
      title,
      place,
      total: TOTAL,
      prompt: t("The password that {0} has now", plainText(server.rights.username)),
      check: async (text) => (text === "" ? MISSING : { value: text }),
    });
    if (answer.kind !== "value") return answer;
    old = answer.value;
    return { kind: "next", step: second };
  };
  const second: Step = async (place) => {
    const answer = await askText({
      ...SECRET,
      title,
      place,
      total: TOTAL,
      prompt: t("The new password, of 12 characters at least"),
      check: async (text) => {
        if (text === old) return { why: t("This is the password that you have now.") };
        return text === "" ? MISSING : { value: text };
      },
    });
    if (answer.kind !== "value") return answer;
    next = answer.value;
    return { kind: "next", step: third };
  };
  const third: Step = async (place) => {
    const answer = await askText({
      ...SECRET,
      title,
      place,
      total: TOTAL,
      prompt: t("The new password again"),
      check: async (text) => {
        if (text !== next) return { why: t("This is not the same as before.") };
        await server.api.call("updateMe", { body: { old_password: old, password: next } });
        return { value: undefined };
      },
    });
    return answer.kind === "value" ? { kind: "done" } : answer;
  };
  if (!(await takeSteps(first))) return;
  void window.showInformationMessage(
    t("Your password is changed. Personal tokens, such as those of your editors, go on working."),
  );
}
