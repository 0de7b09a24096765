import { expect } from "vitest";
import type { RunningBackend } from "../backend/backend.ts";
import { PASSWORD } from "../backend/person.ts";
import { openEditor } from "./editor.ts";
import type { MenuPlace, Reaction } from "./keyboardCommands.ts";
import { Keys } from "./keys.ts";
import { misspoken } from "./seen.ts";
import { FIELDS } from "./signIn.ts";
import { ensureVsix } from "./vsix.ts";
import type { Workbench } from "./workbench.ts";

/** For what a window and a server need together on a busy machine. */
const SLOW_MS = 60_000;

/** Opens a window of the installed extension at a server, where nobody has signed in yet; its clients have the keys. */
export async function openTrial(
  resources: AsyncDisposableStack,
  { url, fingerprint }: Pick<RunningBackend, "url" | "fingerprint">,
): Promise<KeyboardTrial> {
  const settings = { "rport.servers": [{ name: "Relay", url, fingerprint }] };
  const editor = resources.use(await openEditor({ vsix: [await ensureVsix()], settings }));
  const trial = new KeyboardTrial(editor.workbench, new Keys(editor.workbench));
  await trial.keys.view("Clients");
  return trial;
}

/** Commands as somebody without a mouse tries them, one after the other, in one window. */
export class KeyboardTrial {
  /** Titles of what was run from the palette so far. */
  readonly fromPalette = new Set<string>();
  /** Titles of what was chosen in a menu or a header so far. */
  readonly fromMenu = new Set<string>();
  readonly workbench: Workbench;
  readonly keys: Keys;

  constructor(workbench: Workbench, keys: Keys) {
    this.workbench = workbench;
    this.keys = keys;
  }

  /** Answers what a sign-in asks for a user whose password is `PASSWORD`, and waits for a client's row. */
  async signIn(user: string, client: string): Promise<void> {
    await this.keys.pick("User and password");
    await this.keys.answer(FIELDS.user, user);
    await this.keys.answer(FIELDS.password, PASSWORD);
    await this.workbench.pane("Clients").row(client).waitFor({ timeout: SLOW_MS });
  }

  /** Leaves what was there, and runs a command of ours from the palette. */
  async palette(title: string): Promise<void> {
    await this.leave();
    await this.keys.run(`RPort: ${title}`);
    this.fromPalette.add(title);
  }

  /** Leaves what was there, and chooses a command in the menu of a row, or in a view's header. */
  async menu({ view, row }: MenuPlace, title: string): Promise<void> {
    await this.leave();
    if (row === undefined) await this.keys.title(view, title);
    else await this.keys.menu(view, row, title);
    this.fromMenu.add(title);
  }

  /** Does the same twice: with a command from the menu, and with it from the palette. */
  async bothWays(
    place: MenuPlace,
    title: string,
    act: (run: () => Promise<void>, way: "menu" | "palette") => Promise<void>,
  ): Promise<void> {
    await act(() => this.menu(place, title), "menu");
    await act(() => this.palette(title), "palette");
  }

  /** Chooses a command in a menu, and waits for what it comes to. */
  async menuComesTo(place: MenuPlace, title: string, reaction: Reaction): Promise<void> {
    await this.menu(place, title);
    await this.comesTo(reaction);
  }

  /** Runs a command from the palette, and waits for what it comes to: a question, usually. */
  async paletteComesTo(title: string, reaction: Reaction = "asks"): Promise<void> {
    await this.palette(title);
    await this.comesTo(reaction);
  }

  /** Waits for what the last command comes to; nothing that is shown then is misspoken. */
  async comesTo(reaction: Reaction): Promise<void> {
    await expect.poll(() => this.#reaction()).toBe(reaction);
    expect(await misspoken(this.workbench.page)).toEqual([]);
  }

  /** Back to a window in which nothing is asked and no tab is open. */
  async leave(): Promise<void> {
    const { page, quickInput } = this.workbench;
    await this.keys.press("Escape");
    await this.workbench.dialog().waitFor({ state: "detached" });
    await quickInput.input.waitFor({ state: "hidden" });
    await this.workbench.inHost(async (vscode) => {
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");
      await vscode.commands.executeCommand("notifications.clearAll");
      // the page of a tab that had the focus would keep it
      await vscode.commands.executeCommand("workbench.action.focusSideBar");
    });
    await page.locator(".tab").first().waitFor({ state: "detached" });
    await page.waitForFunction(() => document.hasFocus());
    await page.evaluate(() => navigator.clipboard.writeText(""));
    expect(await this.#reaction()).toBeUndefined();
  }

  /** Writes the servers into the setting. */
  async servers(...entries: readonly { readonly [name: string]: string }[]): Promise<void> {
    await this.workbench.inHost(async (vscode, all) => {
      const settings = vscode.workspace.getConfiguration("rport");
      await settings.update("servers", all, vscode.ConfigurationTarget.Global);
    }, entries);
  }

  /** What the last command has come to so far. */
  async #reaction(): Promise<Reaction | undefined> {
    const { page, quickInput } = this.workbench;
    if ((await this.workbench.dialog().count()) > 0) return "warns";
    if ((await quickInput.question()) !== "") return "asks";
    if ((await page.locator(".tab").count()) > 0) return "shows";
    return (await this.workbench.clipboard()) === "" ? undefined : "copies";
  }
}
