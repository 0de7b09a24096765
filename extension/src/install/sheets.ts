import { type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { SHEET_VIEW_TYPE } from "../manifest.ts";
import type { CredentialTarget } from "../servers/entities.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Documents } from "../views/documents.ts";
import { Sheet } from "./sheet.ts";
import { parseTitle, titleOf } from "./title.ts";

/** What opening sheets needs. */
export interface SheetsDeps {
  readonly fleet: Fleet;
  readonly extensionUri: Uri;
  readonly clock: Clock;
  readonly log: Log;
  readonly documents: Documents;
  readonly reveal: (serverKey: string, clientId: string) => Promise<void>;
  readonly pickCredential: (server: Server) => Promise<CredentialTarget | undefined>;
}

/** The open install sheets: at most one per credential. */
export class Sheets {
  readonly #deps: SheetsDeps;
  readonly #open = new Map<string, Sheet>();

  constructor(deps: SheetsDeps) {
    this.#deps = deps;
    deps.fleet.changed.add((event) => {
      if (event.kind !== "server" || event.change.kind === "state") return;
      for (const sheet of this.#open.values()) {
        if (sheet.serverKey === event.server.key) sheet.update();
      }
    });
  }

  /**
   * Shows the sheet of a credential, with a fresh pairing if it was not open yet. With a name, the
   * host that is installed will be called so.
   */
  async open({ server, credential }: CredentialTarget, name = ""): Promise<void> {
    const known = this.#open.get(keyOf(server, credential.id));
    if (known !== undefined) {
      known.show();
      if (name !== "") await known.nameHost(name);
      return;
    }
    const title = titleOf(server, credential.id, this.#deps.fleet.servers);
    const panel = window.createWebviewPanel(SHEET_VIEW_TYPE, title, ViewColumn.Active, {});
    await this.#adopt(panel, server, credential.id).start(name);
  }

  /** Fills a tab that the editor has restored after a reload; its title says what it is about. */
  restore(panel: WebviewPanel): void {
    const about = parseTitle(panel.title, this.#deps.fleet.servers);
    if (about === undefined) panel.dispose();
    else this.#adopt(panel, about.server, about.authId).restore();
  }

  #adopt(panel: WebviewPanel, server: Server, authId: string): Sheet {
    const { extensionUri, clock, log, documents, reveal } = this.#deps;
    const key = keyOf(server, authId);
    const sheet = new Sheet({
      panel,
      server,
      authId,
      extensionUri,
      clock,
      log,
      documents,
      reveal: (clientId) => reveal(server.key, clientId),
      changeCredential: () => this.#changeCredential(server, panel),
      onClosed: () => this.#open.delete(key),
    });
    this.#open.set(key, sheet);
    return sheet;
  }

  async #changeCredential(server: Server, panel: WebviewPanel): Promise<void> {
    const target = await this.#deps.pickCredential(server);
    if (target === undefined) return;
    panel.dispose();
    await this.open(target);
  }
}

function keyOf(server: Server, authId: string): string {
  return `${server.key} ${authId}`;
}
