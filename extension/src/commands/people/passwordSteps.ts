import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { type LoggedIn, logIn, showCode } from "../../servers/signIn.ts";
import { askText, MISSING, PLAIN, SECRET } from "./ask.ts";
import type { SignInForm } from "./signInForm.ts";
import type { After, Step } from "./steps.ts";

/** Asks for the user name, then for the password, then for a code if the server wants one. */
export function userStep(form: SignInForm): Step {
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...form.field("username"),
      prompt: t("Your user name"),
      check: async (text) => (text.trim() === "" ? MISSING : { value: undefined }),
    });
    return answer.kind === "value" ? { kind: "next", step: passwordStep(form) } : answer;
  };
}

function passwordStep(form: SignInForm): Step {
  return async (place) => {
    await form.abandon();
    const username = form.typed("username");
    const answer = await askText({
      ...form.look(place),
      ...SECRET,
      why: form.takeMistake(),
      prompt: t("Password of {0}", username),
      check: async (password) => {
        if (password === "") return MISSING;
        return { value: await tryPassword(form, password) };
      },
    });
    if (answer.kind !== "value") return answer;
    if ("expired" in answer.value) return { kind: "next", step: renewalStep(form, answer.value) };
    return await afterPassword(form, answer.value);
  };
}

interface Expired {
  /** The password that has to be replaced. */
  readonly expired: string;
}

async function tryPassword(form: SignInForm, password: string): Promise<LoggedIn | Expired> {
  const username = form.typed("username");
  try {
    return await logIn(form.deps.door, { username, password });
  } catch (caught) {
    const { code, message } = RportError.from(caught);
    if (code === "UNAUTHORIZED" && /has expired/.test(message)) return { expired: password };
    throw caught;
  }
}

async function afterPassword(form: SignInForm, { jwt, secondFactor }: LoggedIn): Promise<After> {
  if (secondFactor === "none") return await form.enter(jwt);
  if (secondFactor === "pending") await form.deps.setUpSecondFactor(jwt);
  form.follow("password", 1);
  return { kind: "next", step: codeStep(form, jwt) };
}

function codeStep(form: SignInForm, jwt: string): Step {
  const username = form.typed("username");
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...PLAIN,
      prompt: t("Code of your authenticator app, or a recovery code"),
      check: async (text) => {
        const code = text.replaceAll(/\s/g, "");
        if (code === "") return MISSING;
        return { value: await showCode(form.deps.door, { jwt, username, code }) };
      },
    });
    return answer.kind === "value" ? await form.enter(answer.value) : answer;
  };
}

function renewalStep(form: SignInForm, { expired }: Expired): Step {
  form.follow("password", 2);
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...SECRET,
      prompt: t("Your password has expired. Choose a new one"),
      check: async (text) => {
        if (text === expired) return { why: t("This is the one that has expired.") };
        return text === "" ? MISSING : { value: text };
      },
    });
    if (answer.kind !== "value") return answer;
    return { kind: "next", step: renewalAgainStep(form, expired, answer.value) };
  };
}

function renewalAgainStep(form: SignInForm, password: string, next: string): Step {
  const username = form.typed("username");
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...SECRET,
      prompt: t("The same password again"),
      check: async (text) => {
        if (text !== next) return { why: t("This is not the same as before.") };
        return { value: await logIn(form.deps.door, { username, password, next }) };
      },
    });
    return answer.kind === "value" ? await afterPassword(form, answer.value) : answer;
  };
}
