import { RportError } from "@rport/protocol/errors";
import { type UserName, whyNotUserName } from "@rport/protocol/people/user";
import { t } from "@vscode/l10n";
import { accept } from "../../servers/signIn.ts";
import { describeError } from "../../support/describeError.ts";
import { askText, MISSING, SECRET } from "./ask.ts";
import type { SignInForm } from "./signInForm.ts";
import type { Step } from "./steps.ts";

/** The steps that a mistake may belong to, which only the last one finds. */
interface Fields {
  readonly code: Step;
  readonly name: Step;
  readonly password: Step;
}

/** Asks for the code of an invitation, then for the name and the password of the new user. */
export function invitationStep(form: SignInForm): Step {
  const fields: Fields = {
    code: codeStep(form, () => fields),
    name: nameStep(form, () => fields),
    password: passwordStep(form, () => fields),
  };
  return fields.code;
}

function codeStep(form: SignInForm, fields: () => Fields): Step {
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...form.field("code"),
      why: form.takeMistake(),
      prompt: t("The code that you were given. It works once, and for minutes."),
      check: async (text) => (text.trim() === "" ? MISSING : { value: undefined }),
    });
    return answer.kind === "value" ? { kind: "next", step: fields().name } : answer;
  };
}

function nameStep(form: SignInForm, fields: () => Fields): Step {
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...form.field("newName"),
      why: form.takeMistake(),
      prompt: t("Choose a user name"),
      check: async (text) => {
        const why = whyNotUserName(text.trim());
        return why === undefined ? { value: undefined } : { why };
      },
    });
    return answer.kind === "value" ? { kind: "next", step: fields().password } : answer;
  };
}

function passwordStep(form: SignInForm, fields: () => Fields): Step {
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...SECRET,
      why: form.takeMistake(),
      prompt: t("Choose a password, of 12 characters at least"),
      check: async (text) => (text === "" ? MISSING : { value: text }),
    });
    if (answer.kind !== "value") return answer;
    return { kind: "next", step: againStep(form, fields(), answer.value) };
  };
}

function againStep(form: SignInForm, fields: Fields, password: string): Step {
  return async (place) => {
    const answer = await askText({
      ...form.look(place),
      ...SECRET,
      prompt: t("The same password again"),
      check: async (text) => {
        if (text !== password) return { why: t("This is not the same as before.") };
        return { value: await tryInvitation(form, fields, password) };
      },
    });
    if (answer.kind !== "value") return answer;
    if (answer.value !== undefined) return { kind: "return", step: answer.value };
    return await form.deps.next();
  };
}

/** Answers the step that a mistake belongs to; undefined: the invitation was accepted. */
async function tryInvitation(
  form: SignInForm,
  fields: Fields,
  password: string,
): Promise<Step | undefined> {
  const { door, computer } = form.deps;
  const username = form.typed("newName") as UserName;
  try {
    form.keep(await accept(door, { code: form.typed("code"), username, password, computer }));
    return undefined;
  } catch (caught) {
    const step = fieldOf(RportError.from(caught), fields);
    if (step === undefined) throw caught;
    form.leaveMistake(describeError(caught));
    return step;
  }
}

function fieldOf({ code, message }: RportError, fields: Fields): Step | undefined {
  if (code === "INVITATION_NOT_FOUND") return fields.code;
  if (code === "ERR_CODE_ALREADY_EXIST") return fields.name;
  if (code !== "BAD_REQUEST" && code !== "ERR_CODE_INVALID_REQUEST") return undefined;
  return /password/i.test(message) ? fields.password : fields.name;
}
