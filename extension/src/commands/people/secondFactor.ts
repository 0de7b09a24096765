import type { EndpointOutput } from "@rport/protocol/http";
import { t } from "@vscode/l10n";
import { env, l10n, type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { bearer } from "../../api/access.ts";
import type { Server } from "../../servers/server.ts";
import { apiOf, type Door } from "../../servers/signIn.ts";
import { plainText } from "../../support/text.ts";
import { confirm } from "../confirm.ts";
import { askText, type Look, MISSING, PLAIN, SECRET } from "./ask.ts";
import { secondFactorPage } from "./secondFactorPage.ts";
import type { Place } from "./steps.ts";

/** What is copied of a new secret, by the button that does it. */
type Copies = Readonly<Record<string, string>>;

const UNCHANGED = t("Nothing was changed: the new secret does not count.");
const WITHOUT = t("Signing in takes the password alone from now on.");

/** Makes a secret with a session that owes the second factor, and shows it beside the dialog. */
export async function showNewTotpSecret(door: Door, jwt: string): Promise<void> {
  const made = await apiOf(door, bearer(jwt)).call("createTotpSecret");
  showSecret(made, new URL(door.url).host);
}

/**
 * Sets up an authenticator app: takes the password, and a code of the app that is there already,
 * because this editor's token alone is no proof; then shows a new secret, and takes its first code.
 */
export async function setUpSecondFactor(server: Server): Promise<void> {
  const name = plainText(server.name);
  const isReplaced = server.rights.totp;
  if (isReplaced && !(await replaces(server))) return;
  const total = isReplaced ? 3 : 2;
  const made = await askText({
    title: t("Set Up Authenticator App for {0}", name),
    total,
    place: placeOf(total - 1),
    prompt: t("The password of {0}", plainText(server.rights.username)),
    ...SECRET,
    check: async (password) =>
      password === ""
        ? MISSING
        : { value: await server.api.call("createTotpSecret", { body: { password } }) },
  });
  if (made.kind !== "value") {
    if (isReplaced) void window.showInformationMessage(WITHOUT);
    return;
  }
  const panel = showSecret(made.value, name);
  const isConfirmed = await askCode({
    title: t("Set Up Authenticator App for {0}", name),
    total,
    place: placeOf(total),
    prompt: t("Scan the picture, then type the code that the app shows. Nothing counts before."),
    show: (token) => server.api.call("confirmTotp", { body: { token } }),
  });
  if (!isConfirmed) {
    panel.dispose();
    void window.showInformationMessage(isReplaced ? WITHOUT : UNCHANGED);
    return;
  }
  server.connect();
  void window.showInformationMessage(
    t("Signing in takes a code of the app from now on. Keep the recovery codes: each works once."),
  );
}

/** An app that is set up already: asks whether it is replaced, or given up, and takes a code of it. */
async function replaces(server: Server): Promise<boolean> {
  const name = plainText(server.name);
  const answer = await confirm({
    question: t("Replace your authenticator app for {0}?", name),
    lines: [
      t(
        "The app that you have and its recovery codes are removed first, with a code of it. Signing in takes the password alone until you have typed the first code of the new one.",
      ),
    ],
    button: t("Replace"),
    instead: t("Use None Any More"),
  });
  if (answer === undefined) return false;
  const isRemoved = await askCode({
    title: t("Remove Authenticator App for {0}", name),
    total: answer === "act" ? 3 : 1,
    place: placeOf(1),
    prompt: t("A code of the app that you have, or a recovery code"),
    show: (token) => server.api.call("deleteTotpSecret", { body: { token } }),
  });
  if (!isRemoved) return false;
  server.connect();
  if (answer === "act") return true;
  void window.showInformationMessage(WITHOUT);
  return false;
}

/** A question for a code, which is shown to the server at once. */
interface CodeQuestion extends Look {
  readonly prompt: string;
  readonly show: (token: string) => Promise<unknown>;
}

/** Answers whether a code was shown that the server took. */
async function askCode({ show, ...look }: CodeQuestion): Promise<boolean> {
  const answer = await askText({
    ...look,
    ...PLAIN,
    check: async (text) => {
      const token = text.replaceAll(/\s/g, "");
      if (token === "") return MISSING;
      await show(token);
      return { value: undefined };
    },
  });
  return answer.kind === "value";
}

/** What a step has done cannot be taken back by going back. */
function placeOf(number: number): Place {
  return { number, canGoBack: false };
}

/** Shows a new secret in a tab of its own. It is nowhere else, and gone with the tab. */
function showSecret(made: EndpointOutput<"createTotpSecret">, name: string): WebviewPanel {
  const panel = window.createWebviewPanel(
    "rport.secondFactor",
    t("Authenticator App - {0}", name),
    { viewColumn: ViewColumn.Active, preserveFocus: true },
    { enableScripts: false, localResourceRoots: [] as Uri[] },
  );
  panel.webview.html = secondFactorPage({
    name,
    language: l10n.bundle === undefined ? "en" : env.language,
    ...made,
  });
  void offerCopies({
    [t("Copy Recovery Codes")]: made.recovery_codes.join("\n"),
    [t("Copy Setup Key")]: made.secret,
  });
  return panel;
}

/** Offers to copy each of them, as long as there is one that was not. */
async function offerCopies(copies: Copies): Promise<void> {
  const buttons = Object.keys(copies);
  if (buttons.length === 0) return;
  const message = t("Setup key and recovery codes are shown once, in the tab.");
  const chosen = await window.showInformationMessage(message, ...buttons);
  if (chosen === undefined) return;
  const { [chosen]: text = "", ...others } = copies;
  await env.clipboard.writeText(text);
  await offerCopies(others);
}
