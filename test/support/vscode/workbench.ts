import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Frame, Locator, Page } from "playwright-core";
import { vi } from "vitest";
import { Pane } from "./pane.ts";
import { type HostFunction, Probe } from "./probe.ts";
import { QuickInput } from "./quickInput.ts";
import type { CodeServer } from "./server.ts";
import { type Theme, themes } from "./settings.ts";
import { Terminal } from "./terminal.ts";

/** An editor shows a toast at once, or not at all. */
const toastTimeoutMs = 5_000;

/** For what a loaded machine takes long to do: a window with its extensions, a first webview. */
const slowTimeoutMs = 60_000;

/** For everything else. */
const timeoutMs = 20_000;

/** Page of a webview's content, inside its outer frame. */
const webviewPage = "/webview/browser/pre/fake.html";

/** Screenshots and other things to look at after a run. */
export const artifactFolder = join(
  dirname(fileURLToPath(import.meta.url)),
  ...["..", "..", "e2e", "artifacts"],
);

/** A part of the window, in pixels from its upper left corner. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The window of a VS Code in a browser, as a user sees it. */
export class Workbench {
  readonly page: Page;
  readonly quickInput: QuickInput;
  readonly terminal: Terminal;
  /** Script errors of the window so far; a good run ends with none. */
  readonly errors: string[] = [];
  readonly #server: CodeServer;
  readonly #probe: Probe;

  /** @param page of a browser; the window opens with {@link open} */
  constructor(server: CodeServer, page: Page) {
    this.#server = server;
    this.page = page;
    this.quickInput = new QuickInput(page);
    this.terminal = new Terminal(page);
    this.#probe = new Probe(server.folders.probe);
    page.setDefaultTimeout(timeoutMs);
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  /** Opens the server's workspace, or another folder, and waits until the window is drawn. */
  async open(folder?: string): Promise<void> {
    const { origin, url } = this.#server;
    const address = folder === undefined ? url : `${origin}/?folder=${encodeURIComponent(folder)}`;
    await this.page.goto(address, { timeout: slowTimeoutMs });
    await this.#isDrawn();
  }

  /** Reloads the window: extensions stop and start again. */
  async reload(): Promise<void> {
    await this.#probe.expectNewHost();
    await this.page.reload();
    await this.#isDrawn();
  }

  /** Closes the window, which ends its extension host; the page stays for {@link open}. */
  async close(): Promise<void> {
    await this.#probe.expectNewHost();
    await this.page.goto("about:blank");
  }

  /** Runs a function in the extension host; see {@link Probe.run}. */
  inHost<Args extends readonly unknown[], Result>(
    body: HostFunction<Args, Result>,
    ...args: Args
  ): Promise<Result> {
    return this.#probe.run(body, ...args);
  }

  /** Runs a command by its title in the palette, with its category. */
  command(title: string): Promise<void> {
    return this.quickInput.runCommand(title);
  }

  /** The icon of a view container. */
  activity(title: string): Locator {
    return this.page.locator(`.activitybar a.action-label[aria-label^="${title}"]`);
  }

  /** Shows the views of a container in the side bar. */
  async openContainer(title: string): Promise<void> {
    const icon = this.activity(title);
    await icon.waitFor({ timeout: slowTimeoutMs });
    const shown = this.page.locator(".part.sidebar .composite.title .title-label", {
      hasText: title,
    });
    // a click on the icon of the shown container hides it, and a reloaded window shows it late
    await vi.waitFor(
      async () => {
        if (await appears(shown)) return;
        await icon.click();
        if (!(await appears(shown))) throw new Error(`the container ${title} does not open`);
      },
      { timeout: timeoutMs },
    );
  }

  /** A view of the open container. */
  pane(title: string): Pane {
    return new Pane(this.page, title);
  }

  /** The notification with this text; its buttons by role "button". */
  toast(text: string | RegExp): Locator {
    return this.page.locator(".notifications-toasts .notification-list-item", { hasText: text });
  }

  /**
   * Waits until this was said. An editor that has shown three toasts within a second shows no further one: what
   * that would say is in its list.
   */
  async said(text: string): Promise<void> {
    const shown = this.toast(text).waitFor({ timeout: toastTimeoutMs });
    await shown.catch(async () => {
      await this.command("Notifications: Show Notifications");
      const kept = this.page.locator(".notifications-center .notification-list-item");
      await kept.filter({ hasText: text }).waitFor();
    });
  }

  /** Removes all notifications. */
  async clearToasts(): Promise<void> {
    await this.command("Notifications: Clear All Notifications");
    await this.toast("").first().waitFor({ state: "detached" });
  }

  /** The modal dialog. */
  dialog(text: string | RegExp = ""): Locator {
    return this.page.locator(".monaco-dialog-box", { hasText: text });
  }

  /** Waits for the modal dialog with this text and presses one of its buttons. */
  async answerDialog(text: string | RegExp, button: string): Promise<void> {
    const dialog = this.dialog(text);
    await dialog.getByRole("button", { name: button, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  }

  /** An item of the status bar, by the extension's id and the id it gave to the item. */
  statusItem(extensionId: string, itemId: string): Locator {
    return this.page.locator(`[id="${extensionId}.${itemId}"]`);
  }

  /** The content of the webview that shows this text. */
  webview(text: string | RegExp): Promise<Frame> {
    return vi.waitFor(
      async () => {
        for (const frame of this.page.frames()) {
          if (frame.url().includes(webviewPage) && (await contains(frame, text))) return frame;
        }
        throw new Error(`no webview shows ${text}`);
      },
      { timeout: slowTimeoutMs, interval: 100 },
    );
  }

  /** Shows an output channel in the panel. */
  async showOutput(channel: string): Promise<void> {
    await this.command("Output: Show Output Channels...");
    await this.quickInput.pick(channel);
    await this.#outputLines.waitFor();
  }

  /** The lines of the shown output channel that are on screen: poll it. */
  async outputText(): Promise<string> {
    return (await this.#outputLines.allInnerTexts()).join("\n").replaceAll("\u00a0", " ");
  }

  /** The text on the clipboard. */
  clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Changes the colour theme and waits until the window has it. */
  async setTheme(theme: Theme): Promise<void> {
    const { name, className } = themes[theme];
    await this.inHost(async (vscode, value) => {
      const settings = vscode.workspace.getConfiguration("workbench");
      await settings.update("colorTheme", value, vscode.ConfigurationTarget.Global);
    }, name);
    await this.page.locator(`.monaco-workbench.${className}`).first().waitFor();
  }

  /**
   * Writes a picture of the window, or of an area of it, to `test/e2e/artifacts/<name>.png`;
   * answers its path.
   */
  async screenshot(name: string, clip?: Area): Promise<string> {
    await mkdir(artifactFolder, { recursive: true });
    const path = join(artifactFolder, `${name}.png`);
    await this.page.screenshot(clip === undefined ? { path } : { path, clip });
    return path;
  }

  async #isDrawn(): Promise<void> {
    await this.page.locator(".monaco-workbench").waitFor({ timeout: slowTimeoutMs });
    await this.page.locator(".statusbar-item").first().waitFor({ timeout: slowTimeoutMs });
  }

  get #outputLines(): Locator {
    return this.page.locator(".part.panel .view-lines");
  }
}

function appears(locator: Locator): Promise<boolean> {
  return locator.waitFor({ timeout: 2_000 }).then(
    () => true,
    () => false,
  );
}

async function contains(frame: Frame, text: string | RegExp): Promise<boolean> {
  try {
    return (await frame.getByText(text).count()) > 0;
  } catch {
    // the frame went away meanwhile
    return false;
  }
}
