import { type Memento, type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { z } from "zod";
import type { CredentialTarget } from "../commands/target.ts";
import { SHEET_VIEW_TYPE } from "../manifest.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Documents } from "../views/documents.ts";
import { Sheet } from "./sheet.ts";

const MEMORY_KEY = "rport.sheets";
/** More tabs are not restored. */
const REMEMBERED_MAX = 20;

const memorySchema = z.record(z.string(), z.object({ serverKey: z.string(), authId: z.string() }));

/** What opening sheets needs. */
export interface SheetsDependencies {
  readonly fleet: Fleet;
  readonly extensionUri: Uri;
  readonly clock: Clock;
  readonly log: Log;
  readonly documents: Documents;
  /** Remembers which tab is about which credential, for the time after a reload. */
  readonly memory: Memento;
  readonly reveal: (serverKey: string, clientId: string) => Promise<void>;
  readonly pickCredential: (server: Server) => Promise<CredentialTarget | undefined>;
}

/** The open install sheets: at most one per credential. */
export class Sheets {
  readonly #dependencies: SheetsDependencies;
  readonly #open = new Map<string, Sheet>();

  constructor(dependencies: SheetsDependencies) {
    this.#dependencies = dependencies;
    dependencies.fleet.changed.add((event) => {
      if (event.kind !== "server" || event.change.kind === "state") return;
      for (const sheet of this.#open.values()) {
        if (sheet.serverKey === event.server.key) sheet.update();
      }
    });
  }

  /** Shows the sheet of a credential, with a fresh pairing if it was not open yet. */
  async open({ server, credential }: CredentialTarget): Promise<void> {
    const known = this.#open.get(keyOf(server, credential.id));
    if (known !== undefined) {
      known.show();
      return;
    }
    const title = this.#titleOf(server, credential.id);
    const panel = window.createWebviewPanel(SHEET_VIEW_TYPE, title, ViewColumn.Active, {});
    await this.#remember(title, { serverKey: server.key, authId: credential.id });
    await this.#adopt(panel, server, credential.id).start();
  }

  /** Fills a tab that the editor has restored after a reload. */
  async restore(panel: WebviewPanel): Promise<void> {
    const remembered = this.#memory()[panel.title];
    const server =
      remembered === undefined ? undefined : this.#dependencies.fleet.get(remembered.serverKey);
    if (remembered === undefined || server === undefined) panel.dispose();
    else this.#adopt(panel, server, remembered.authId).restore();
  }

  #adopt(panel: WebviewPanel, server: Server, authId: string): Sheet {
    const { extensionUri, clock, log, documents, reveal } = this.#dependencies;
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
    const target = await this.#dependencies.pickCredential(server);
    if (target === undefined) return;
    panel.dispose();
    await this.open(target);
  }

  #titleOf(server: Server, authId: string): string {
    const isOnly = this.#dependencies.fleet.servers.length === 1;
    return `Install Client - ${authId}${isOnly ? "" : ` (${server.name})`}`;
  }

  #memory() {
    return memorySchema.safeParse(this.#dependencies.memory.get(MEMORY_KEY)).data ?? {};
  }

  async #remember(title: string, entry: { serverKey: string; authId: string }): Promise<void> {
    const others = Object.entries(this.#memory()).filter(([known]) => known !== title);
    const kept = [...others.slice(1 - REMEMBERED_MAX), [title, entry]];
    await this.#dependencies.memory.update(MEMORY_KEY, Object.fromEntries(kept));
  }
}

function keyOf(server: Server, authId: string): string {
  return `${server.key} ${authId}`;
}
