import { t } from "@vscode/l10n";
import { ThemeIcon } from "vscode";
import { tryToken } from "../../servers/signIn.ts";
import { askChoice, askText, type Choice, MISSING, SECRET } from "./ask.ts";
import { invitationStep } from "./invitationSteps.ts";
import { userStep } from "./passwordSteps.ts";
import type { SignInForm, Way } from "./signInForm.ts";
import type { Step } from "./steps.ts";

/** The first step of signing in: in which way. */
export function waysStep(form: SignInForm): Step {
  const { hasUsers, door } = form.deps;
  return async (place) => {
    const answer = await askChoice<Way>({
      ...form.look(place),
      placeholder: t("How do you sign in to {0}?", new URL(door.url).host),
      choices: hasUsers ? [PASSWORD, invitation(GIVEN), TOKEN] : [invitation(PRINTED), TOKEN],
    });
    if (answer.kind !== "value") return answer;
    form.follow(answer.value);
    return { kind: "next", step: FIRST_STEPS[answer.value](form) };
  };
}

const FIRST_STEPS: Readonly<Record<Way, (form: SignInForm) => Step>> = {
  password: userStep,
  invitation: invitationStep,
  token: tokenStep,
};

const PASSWORD: Choice<Way> = {
  label: t("User and password"),
  // in the label it would be spoken by its name
  iconPath: new ThemeIcon("account"),
  detail: t("With the code of your authenticator app, if you have set one up."),
  target: "password",
};

const TOKEN: Choice<Way> = {
  label: t("Token"),
  iconPath: new ThemeIcon("key"),
  detail: t("Paste a token that you already have."),
  target: "token",
};

const GIVEN = t("An administrator gave you a code: become a user with it.");
const PRINTED = t("The server has no users yet: it printed a code for the first administrator.");

function invitation(detail: string): Choice<Way> {
  const iconPath = new ThemeIcon("mail");
  return { label: t("Invitation code"), iconPath, detail, target: "invitation" };
}

function tokenStep(form: SignInForm): Step {
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...SECRET,
      prompt: t("The token. It is kept in the editor's secret store."),
      check: async (text) => {
        const token = text.trim();
        if (token === "") return MISSING;
        if (/\s/.test(token)) return { why: t("A token has no spaces.") };
        return { value: await tryToken(form.deps.door, token) };
      },
    });
    if (answer.kind !== "value") return answer;
    form.keep(answer.value);
    return await form.deps.next();
  };
}
