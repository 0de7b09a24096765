import { randomBytes } from "node:crypto";
import { type FromSheet, fromSheetSchema, type ToSheet } from "@rport/protocol/sheet";
import { env, Uri, type WebviewPanel, window } from "vscode";
import type { Server } from "../servers/server.ts";
import type { Clock } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import { isPlainLine } from "../support/text.ts";
import type { Documents } from "../views/documents.ts";
import { pageHtml } from "./html.ts";
import { readScript } from "./script.ts";
import { SheetModel } from "./sheetModel.ts";
import { whyNotOptions } from "./snippets.ts";

/** What a sheet is opened with. */
export interface SheetDeps {
  readonly panel: WebviewPanel;
  readonly server: Server;
  readonly authId: string;
  readonly extensionUri: Uri;
  readonly clock: Clock;
  readonly log: Log;
  readonly documents: Documents;
  /** Shows and selects a client in the tree. */
  readonly reveal: (clientId: string) => Promise<void>;
  /** Lets somebody choose another credential, and opens its sheet. */
  readonly changeCredential: () => Promise<void>;
  readonly onClosed: () => void;
}

type Message<T extends FromSheet["type"]> = Extract<FromSheet, { type: T }>;
type MessageHandlers = { readonly [T in FromSheet["type"]]: (message: Message<T>) => unknown };

/** One tab with an install sheet. */
export class Sheet {
  readonly #deps: SheetDeps;
  readonly #model: SheetModel;
  #copied = { platform: "linux", command: "curl" };

  constructor(deps: SheetDeps) {
    const { panel, server, authId, clock, extensionUri } = deps;
    this.#deps = deps;
    this.#model = new SheetModel({
      server,
      authId,
      clock,
      onChange: () => this.#send(),
      onArrived: (clientId) => this.#arrived(clientId),
    });
    const folder = Uri.joinPath(extensionUri, "dist", "webview");
    const resource = (name: string) =>
      panel.webview.asWebviewUri(Uri.joinPath(folder, name)).toString();
    panel.webview.options = { enableScripts: true, localResourceRoots: [folder] };
    panel.webview.onDidReceiveMessage((message) => void this.#receive(message));
    panel.onDidDispose(() => this.#closed());
    panel.iconPath = Uri.joinPath(extensionUri, "media", "icon.png");
    panel.webview.html = pageHtml({
      scriptUri: resource("main.js"),
      styleUri: resource("style.css"),
      cspSource: panel.webview.cspSource,
      nonce: randomBytes(16).toString("hex"),
    });
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

  /** Shows that the pairing of before the reload cannot be used any more. */
  restore(): void {
    this.#model.restore();
  }

  /** Brings the tab to the front. */
  show(): void {
    this.#deps.panel.reveal();
  }

  /** Takes over what the server has told. */
  update(): void {
    this.#model.update();
  }

  #send(): void {
    const message: ToSheet = this.#model.state;
    void this.#deps.panel.webview.postMessage(message);
  }

  #announce(text: string): void {
    const message: ToSheet = { type: "announce", text };
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
    ready: () => this.#send(),
    copy: ({ platform, command }) => this.#copy(platform, command),
    runInTerminal: ({ platform, command }) => this.#runInTerminal(platform, command),
    inspectScript: () => this.#inspectScript(),
    renew: async () => {
      await this.#model.renew();
      await this.#copy(this.#copied.platform, this.#copied.command);
    },
    installAnother: () => this.#model.next(),
    revoke: () => this.#model.revoke(),
    changeCredential: () => this.#deps.changeCredential(),
    showClient: async () => {
      const { pairing } = this.#model.state;
      if (pairing.kind === "connected") await this.#deps.reveal(pairing.clientId);
    },
    options: async ({ options }) => {
      const reason = whyNotOptions(options);
      if (reason === undefined) await this.#model.choose(options);
      else this.#announce(reason);
    },
  };

  async #copy(platform: string, command: string): Promise<void> {
    this.#copied = { platform, command };
    const text = this.#model.command(platform, command);
    if (text === undefined) return;
    await env.clipboard.writeText(text);
    this.#announce("Copied");
  }

  /** Types the line into a new terminal and leaves Enter to the person. */
  async #runInTerminal(platform: string, command: string): Promise<void> {
    const text = this.#model.command(platform, command);
    if (text === undefined || !isPlainLine(text)) return;
    const terminal = window.createTerminal({ name: "Install RPort Client" });
    terminal.show();
    terminal.sendText(text, false);
  }

  async #inspectScript(): Promise<void> {
    const { created } = this.#model;
    if (created === undefined) return;
    const { server, documents } = this.#deps;
    const text = await readScript(server.api, created);
    await documents.showScript(created.pairing.id, text);
  }

  #arrived(clientId: string): void {
    const { server, reveal } = this.#deps;
    const name = server.mirror.maps.clients.get(clientId)?.name ?? clientId;
    this.#announce(`${name} connected`);
    void reveal(clientId);
  }

  #closed(): void {
    this.#model.dispose();
    this.#deps.onClosed();
  }
}
