import { randomBytes } from "node:crypto";
import { INSTALLER_NAMES } from "@rport/protocol/commands";
import type { FromSheet, SheetHost, ToSheet } from "@rport/protocol/sheet";
import { fromSheetSchema } from "@rport/protocol/sheet";
import { t } from "@vscode/l10n";
import { env, l10n, Uri, type WebviewPanel, window } from "vscode";
import type { Server } from "../servers/server.ts";
import type { CardAddress } from "../support/cardAddresses.ts";
import type { Clock } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import { isPlainLine, plainText } from "../support/text.ts";
import type { Documents } from "../views/documents.ts";
import { pageHtml } from "./html.ts";
import { ADDRESS_GUIDE, addressGuide } from "./nearOnly.ts";
import { saveText } from "./saveText.ts";
import { readScript } from "./script.ts";
import { SheetModel } from "./sheetModel.ts";
import { type Chosen, windowsScriptSha256 } from "./snippets.ts";

/** What of the rest of the extension a sheet can set going. */
export interface SheetActions {
  /** Shows and selects a client in the tree. */
  reveal(clientId: string): Promise<void>;
  /** Lets somebody choose another credential, and opens its sheet. */
  changeCredential(): Promise<void>;
  /** Lets a client in that waits, or turns it away. */
  decide(clientId: string, decision: "approveJoin" | "denyJoin"): Promise<void>;
  /** Asks for other limits of the credential. */
  editLimits(): Promise<void>;
  /** Lets a client in again that was revoked. */
  allow(clientId: string): Promise<void>;
  /** Has the server listen elsewhere, where the editor has started it; false: the editor has not. */
  moveServer(): Promise<boolean>;
  /** Remembers which line was shown. */
  remember(chosen: Chosen): void;
  closed(): void;
}

/** What a sheet is opened with. */
export interface SheetDeps {
  readonly panel: WebviewPanel;
  readonly server: Server;
  readonly authId: string;
  readonly extensionUri: Uri;
  readonly clock: Clock;
  readonly log: Log;
  readonly documents: Documents;
  readonly chosen: Chosen;
  readonly cards: () => readonly CardAddress[];
  readonly actions: SheetActions;
}

type Message<T extends FromSheet["type"]> = Extract<FromSheet, { type: T }>;
type MessageHandlers = {
  readonly [T in FromSheet["type"]]: (message: FromSheet & Message<T>) => unknown;
};

/** Whoever may read a file that has a secret in it: its owner. */
const PRIVATE = 0o600;
const PUBLIC = 0o644;

/** One tab with an install sheet. */
export class Sheet {
  readonly #deps: SheetDeps;
  readonly #model: SheetModel;
  /** Whether the page is there, and knows its language. */
  #hasBegun = false;

  constructor(deps: SheetDeps) {
    this.#deps = deps;
    this.#model = new SheetModel({
      ...deps,
      onChange: () => {
        if (this.#hasBegun) this.#post(this.#model.state);
      },
      onArrived: (host) => this.#arrived(host),
    });
    this.#fill();
  }

  /** Which server's model to follow. */
  get serverKey(): string {
    return this.#deps.server.key;
  }

  /** Gets the first pairing, for a host of this name unless it is empty. */
  async start(name: string): Promise<void> {
    await (name === "" ? this.#model.renew() : this.#model.nameHost(name));
  }

  /** Makes the next pairing one for a host of this name. */
  async nameHost(name: string): Promise<void> {
    await this.#model.nameHost(name);
  }

  /** Shows what became of the pairing of before the reload; empty: nobody knows which it was. */
  restore(pairingId: string): void {
    this.#model.restore(pairingId);
  }

  /** Brings the tab to the front. */
  show(): void {
    this.#deps.panel.reveal();
  }

  /** Takes over what the server has told. */
  update(): void {
    this.#model.update();
  }

  #fill(): void {
    const { panel, extensionUri } = this.#deps;
    const folder = Uri.joinPath(extensionUri, "dist", "webview");
    const resource = (name: string) =>
      panel.webview.asWebviewUri(Uri.joinPath(folder, name)).toString();
    panel.webview.options = { enableScripts: true, localResourceRoots: [folder] };
    panel.webview.onDidReceiveMessage((message) => void this.#receive(message));
    panel.onDidDispose(() => this.#closed());
    panel.iconPath = Uri.joinPath(extensionUri, "media", "icon.png");
    panel.webview.html = pageHtml({
      scriptUri: resource("main.js"),
      styleUris: ["style.css", "form.css"].map(resource),
      cspSource: panel.webview.cspSource,
      nonce: randomBytes(16).toString("hex"),
    });
  }

  #begin(): void {
    this.#hasBegun = true;
    const { bundle } = l10n;
    if (bundle !== undefined) this.#post({ type: "language", locale: env.language, texts: bundle });
    this.#post(this.#model.state);
  }

  #post(message: ToSheet): void {
    void this.#deps.panel.webview.postMessage(message);
  }

  async #receive(raw: unknown): Promise<void> {
    const parsed = fromSheetSchema.safeParse(raw);
    if (!parsed.success) {
      this.#deps.log.warn("the install sheet sent something unknown");
      return;
    }
    const handle = this.#handlers[parsed.data.type] as (message: FromSheet) => unknown;
    try {
      await handle(parsed.data);
    } catch (error) {
      void window.showErrorMessage(describeError(error));
    }
  }

  readonly #handlers: MessageHandlers = {
    ready: () => this.#begin(),
    choose: ({ platform, command }) => {
      this.#model.choose({ platform, command });
      this.#deps.actions.remember(this.#model.chosen);
    },
    copy: async () => {
      // who has typed a name presses this at once, and means the line with that name
      await this.#model.settled();
      await this.#copy("line", this.#model.command);
    },
    runInTerminal: () => this.#runInTerminal(),
    inspectScript: async () => {
      const { id, name, text } = await this.#script();
      await this.#deps.documents.showScript(id, name, text);
    },
    saveScript: async () => {
      const { name, text } = await this.#script();
      await saveText(name, text, PUBLIC);
    },
    renew: async () => {
      await this.#model.renew();
      await this.#copy("line", this.#model.command);
    },
    installAnother: () => this.#model.next(),
    revoke: () => this.#model.revoke(),
    changeCredential: () => this.#deps.actions.changeCredential(),
    useThisServer: () => this.#model.useThisServer(),
    chooseAddress: ({ url }) => this.#model.useAddress(url),
    openAddressHelp: () => this.#openAddressHelp(),
    showClient: ({ clientId }) => this.#deps.actions.reveal(clientId),
    approve: ({ clientId }) => this.#deps.actions.decide(clientId, "approveJoin"),
    deny: ({ clientId }) => this.#deps.actions.decide(clientId, "denyJoin"),
    cure: ({ clientId, cure }) => this.#cures[cure](clientId),
    options: ({ options }) => this.#model.change(options),
    makeManual: () => this.#model.makeManual(),
    showManual: () => this.#model.manual.toggle(),
    copyManual: () => this.#copy("manual", this.#model.manual.text),
    saveManual: async () => {
      const { text } = this.#model.manual;
      if (text !== undefined) await saveText("rport.conf", text, PRIVATE);
    },
    revokeManual: () => this.#model.manual.revoke(),
  };

  readonly #cures: Readonly<Record<Message<"cure">["cure"], (clientId: string) => Promise<void>>> =
    {
      newId: () => this.#model.asNewHost(),
      renew: () => this.#model.renew(),
      limits: () => this.#deps.actions.editLimits(),
      allow: (clientId) => this.#deps.actions.allow(clientId),
    };

  async #copy(what: "line" | "manual", text: string | undefined): Promise<void> {
    if (text === undefined) return;
    await env.clipboard.writeText(text);
    this.#post({ type: "copied", what });
  }

  /** Types the line into a new terminal and leaves Enter to the person. */
  #runInTerminal(): void {
    const text = this.#model.command;
    if (text === undefined || !isPlainLine(text)) return;
    const terminal = window.createTerminal({ name: t("Install RPort Client") });
    terminal.show();
    terminal.sendText(text, false);
    this.#post({
      type: "announce",
      text: t("The line is in the terminal. Press Enter there to run it."),
    });
  }

  /** The script that the line runs which is shown. */
  async #script(): Promise<{ readonly id: string; readonly name: string; readonly text: string }> {
    const { created, chosen } = this.#model;
    if (created === undefined) throw new Error(t("There is no line yet."));
    const { api } = this.#deps.server;
    const { id } = created.pairing;
    const sha256 = chosen.platform === "windows" ? windowsScriptSha256(created) : undefined;
    if (sha256 === undefined) {
      return { id, name: INSTALLER_NAMES.sh, text: await readScript(api, created) };
    }
    const named = { ...created, script_sha256: sha256, isForWindows: true };
    return { id, name: INSTALLER_NAMES.ps1, text: await readScript(api, named) };
  }

  async #openAddressHelp(): Promise<void> {
    const { nearOnly } = this.#model;
    if (nearOnly === undefined || (await this.#deps.actions.moveServer())) return;
    const guide = addressGuide(nearOnly, this.#deps.server.isLocal ? this.#deps.cards() : []);
    await this.#deps.documents.showGuide(ADDRESS_GUIDE, guide);
  }

  #arrived({ clientId, name }: SheetHost): void {
    this.#post({ type: "announce", text: t("{0} connected", plainText(name)) });
    void this.#deps.actions.reveal(clientId);
  }

  #closed(): void {
    this.#model.dispose();
    this.#deps.actions.closed();
  }
}
