import { env, type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { bearer } from "../../api/access.ts";
import type { Api } from "../../api/http.ts";
import type { Server } from "../../servers/server.ts";
import { apiOf, type Door } from "../../servers/signIn.ts";
import { plainText } from "../../support/text.ts";
import { confirm } from "../confirm.ts";
import { askText, MISSING, PLAIN } from "./ask.ts";
import { secondFactorPage } from "./secondFactorPage.ts";

/** What is copied of a new secret, by the button that does it. */
type Copies = Readonly<Record<string, string>>;

/** Makes a secret with a session that owes the second factor, and shows it beside the dialog. */
export async function showNewTotpSecret(door: Door, jwt: string): Promise<void> {
  await showSecret(apiOf(door, bearer(jwt)), new URL(door.url).host);
}

/** Sets up an authenticator app: shows a new secret, and takes the first code of it. */
export async function setUpSecondFactor(server: Server): Promise<void> {
  const name = plainText(server.name);
  if (server.rights.totp && !(await replaces(server))) return;
  const panel = await showSecret(server.api, name);
  const answer = await askText({
    title: `Set Up Authenticator App for ${name}`,
    total: 1,
    place: { number: 1, canGoBack: false },
    prompt: "Scan the picture, then type the code that the app shows. Nothing counts before.",
    ...PLAIN,
    check: async (text) => {
      const token = text.replaceAll(/\s/g, "");
      if (token === "") return MISSING;
      await server.api.call("confirmTotp", { body: { token } });
      return { value: undefined };
    },
  });
  if (answer.kind !== "value") {
    panel.dispose();
    void window.showInformationMessage("Nothing was changed: the new secret does not count.");
    return;
  }
  server.connect();
  void window.showInformationMessage(
    "Signing in takes a code of the app from now on. Keep the recovery codes: each works once.",
  );
}

/** An app that is set up already: asks whether it is replaced, or given up. */
async function replaces(server: Server): Promise<boolean> {
  const answer = await confirm({
    question: `Replace your authenticator app for ${plainText(server.name)}?`,
    lines: [
      "The app that you have and its recovery codes are removed first. Signing in takes the password alone until you have typed the first code of the new one.",
    ],
    button: "Replace",
    instead: "Use None Any More",
  });
  if (answer === undefined) return false;
  await server.api.call("deleteTotpSecret");
  server.connect();
  if (answer === "act") return true;
  void window.showInformationMessage("Signing in takes the password alone from now on.");
  return false;
}

/** Shows a new secret in a tab of its own. It is nowhere else, and gone with the tab. */
async function showSecret(api: Pick<Api, "call">, name: string): Promise<WebviewPanel> {
  const made = await api.call("createTotpSecret");
  const panel = window.createWebviewPanel(
    "rport.secondFactor",
    `Authenticator App - ${name}`,
    { viewColumn: ViewColumn.Active, preserveFocus: true },
    { enableScripts: false, localResourceRoots: [] as Uri[] },
  );
  panel.webview.html = secondFactorPage({ name, ...made });
  void offerCopies({
    "Copy Recovery Codes": made.recovery_codes.join("\n"),
    "Copy Setup Key": made.secret,
  });
  return panel;
}

/** Offers to copy each of them, as long as there is one that was not. */
async function offerCopies(copies: Copies): Promise<void> {
  const buttons = Object.keys(copies);
  if (buttons.length === 0) return;
  const message = "Setup key and recovery codes are shown once, in the tab.";
  const chosen = await window.showInformationMessage(message, ...buttons);
  if (chosen === undefined) return;
  const { [chosen]: text = "", ...others } = copies;
  await env.clipboard.writeText(text);
  await offerCopies(others);
}
