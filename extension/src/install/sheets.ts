import { type Memento, type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { z } from "zod";
import { SHEET_VIEW_TYPE } from "../manifest.ts";
import type { CredentialTarget, JoinTarget } from "../servers/entities.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import { cardAddresses } from "../support/cardAddresses.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Documents } from "../views/documents.ts";
import { Sheet, type SheetActions } from "./sheet.ts";
import type { Chosen } from "./snippets.ts";
import { parseTitle, titleOf } from "./title.ts";

/** Under which key the last choice of a platform is kept. */
const CHOSEN_KEY = "installSheet.chosen";
const FIRST_CHOICE: Chosen = { platform: "linux", command: "curl" };
const chosenSchema = z.object({ platform: z.string(), command: z.string() });

/** What the page keeps beside its own. */
const rememberedSchema = z.object({ pairing: z.string().max(64) });

/** What opening sheets needs. */
export interface SheetsDeps {
  readonly fleet: Fleet;
  readonly extensionUri: Uri;
  readonly clock: Clock;
  readonly log: Log;
  readonly documents: Documents;
  /** What is remembered from one window to the next. */
  readonly memory: Pick<Memento, "get" | "update">;
  readonly reveal: (serverKey: string, clientId: string) => Promise<void>;
  readonly decide: (target: JoinTarget, decision: "approveJoin" | "denyJoin") => Promise<void>;
  readonly editLimits: (serverKey: string, authId: string) => Promise<void>;
  readonly allow: (serverKey: string, clientId: string) => Promise<void>;
  /** Has a server listen elsewhere that the editor has started; false: it has not. */
  readonly moveServer: (server: Server) => Promise<boolean>;
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

  /**
   * Fills a tab that the editor has restored after a reload; its title says what it is about, and what
   * the page remembered which pairing it showed.
   */
  restore(panel: WebviewPanel, remembered: unknown): void {
    const about = parseTitle(panel.title, this.#deps.fleet.servers);
    const pairing = rememberedSchema.safeParse(remembered).data?.pairing ?? "";
    if (about === undefined) panel.dispose();
    else this.#adopt(panel, about.server, about.authId).restore(pairing);
  }

  #adopt(panel: WebviewPanel, server: Server, authId: string): Sheet {
    const { extensionUri, clock, log, documents, memory } = this.#deps;
    const key = keyOf(server, authId);
    const sheet = new Sheet({
      panel,
      server,
      authId,
      extensionUri,
      clock,
      log,
      documents,
      chosen: chosenSchema.safeParse(memory.get(CHOSEN_KEY)).data ?? FIRST_CHOICE,
      cards: cardAddresses,
      actions: this.#actions(server, authId, panel),
    });
    this.#open.set(key, sheet);
    return sheet;
  }

  #actions(server: Server, authId: string, panel: WebviewPanel): SheetActions {
    const { memory, reveal, decide, editLimits, allow, moveServer } = this.#deps;
    return {
      reveal: (clientId) => reveal(server.key, clientId),
      changeCredential: () => this.#changeCredential(server, panel),
      decide: async (clientId, decision) => {
        const joins = [...server.mirror.maps.joins.values()];
        const join = joins.find(
          (one) => one.client_id === clientId && one.credential_id === authId,
        );
        if (join !== undefined) await decide({ server, join }, decision);
      },
      editLimits: () => editLimits(server.key, authId),
      allow: (clientId) => allow(server.key, clientId),
      moveServer: () => moveServer(server),
      remember: (chosen) => void memory.update(CHOSEN_KEY, chosen),
      closed: () => this.#open.delete(keyOf(server, authId)),
    };
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
