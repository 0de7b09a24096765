import type { Frame, Locator } from "playwright-core";
import { vi } from "vitest";
import { exactly } from "./pane.ts";
import type { Workbench } from "./workbench.ts";

/** A key may come before what it is for: then the way to it begins again. */
const ATTEMPT_MS = 3_000;

/** For what a busy machine takes long to do. */
const SLOW_MS = 60_000;

/** More steps than any list, menu or page of a test has. */
const STEPS = 60;

/** The button behind which a bar has what it has no room for. */
const MORE = /^(Views and )?More Actions/;

/**
 * Somebody who has no mouse: rows, menus, buttons and dialogs are reached as one reaches them on a keyboard,
 * and nothing is ever clicked.
 */
export class Keys {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** Presses one key. */
  press(key: string): Promise<void> {
    return this.#workbench.page.keyboard.press(key);
  }

  /** Enters a text where the focus is, in the place of what stands there. */
  async fill(text: string): Promise<void> {
    await this.press("Control+a");
    await this.#workbench.page.keyboard.insertText(text);
  }

  /** Runs a command by its title in the palette, with its category: "View: Show Explorer". */
  async run(title: string): Promise<void> {
    const { input } = this.#workbench.quickInput;
    await this.#again(async () => {
      await this.press("Escape");
      await this.press("F1");
      await input.waitFor({ timeout: ATTEMPT_MS });
      await this.fill(`>${title}`);
      const { widget } = this.#workbench.quickInput;
      await widget
        .locator(".monaco-list-row", { hasText: title })
        .first()
        .waitFor({ timeout: ATTEMPT_MS });
      const focused = widget.locator(".monaco-list-row.focused .label-name");
      await this.#until(focused, exactly(title), "ArrowDown");
    });
    await this.#accept();
  }

  /** Goes down the open quick pick to an entry, and chooses it. */
  async pick(text: string | RegExp): Promise<void> {
    await this.#workbench.quickInput.rows(text).first().waitFor();
    await this.#again(() => this.#entry(text));
    await this.#accept();
  }

  /** Types into the open quick pick what its first entry is then about, and chooses that. */
  async search(text: string): Promise<void> {
    await this.fill(text);
    await this.pick(text);
  }

  /** Waits for an input box with this title or prompt, fills it in and accepts it. */
  async answer(question: string | RegExp, value: string): Promise<void> {
    await this.#workbench.quickInput.widget.filter({ hasText: question }).waitFor();
    await this.fill(value);
    await this.#accept();
  }

  /**
   * Runs a command until its input box is there, fills that in and accepts it: a window that has something
   * else to give the focus to at that moment takes it away from a box, which is then gone.
   */
  async ask(command: string, question: string | RegExp, value: string): Promise<void> {
    const box = this.#workbench.quickInput.widget.filter({ hasText: question });
    await this.#again(async () => {
      await this.run(command);
      await box.waitFor({ timeout: ATTEMPT_MS });
    });
    await this.answer(question, value);
  }

  /** Waits for the dialog with this text, and presses one of its buttons. */
  async dialog(text: string | RegExp, button: string): Promise<void> {
    const dialog = this.#workbench.dialog(text);
    await dialog.waitFor();
    await this.#until(dialog.locator(".monaco-button:focus"), exactly(button), "Tab");
    await this.press("Enter");
    await dialog.waitFor({ state: "detached" });
  }

  /** Goes to a view; its rows have the focus, or its welcome text where there are none. */
  async view(title: string): Promise<void> {
    const focus = this.#workbench.pane(title).locator.locator(".pane-body :focus");
    // a window that starts takes the focus for itself once more
    await this.#again(async () => {
      await this.run(`RPort: Focus on ${title} View`);
      await focus.waitFor({ timeout: ATTEMPT_MS });
    });
  }

  /** Goes to a row of a view. */
  async row(view: string, text: string | RegExp): Promise<void> {
    const pane = this.#workbench.pane(view);
    await this.#again(async () => {
      await this.view(view);
      await this.press("Home");
      await this.#until(pane.locator.locator(".monaco-list-row.focused"), text, "ArrowDown");
    });
  }

  /** Goes down the rows of a view until one is spoken like this. */
  async hears(view: string, spoken: RegExp): Promise<void> {
    const focused = this.#workbench.pane(view).locator.locator(".monaco-list-row.focused");
    await this.#again(async () => {
      await this.view(view);
      await this.press("Home");
      const heard: (string | null)[] = [];
      for (let step = 0; step < STEPS; step += 1) {
        const label = await focused.getAttribute("aria-label", { timeout: ATTEMPT_MS });
        if (spoken.test(label ?? "")) return;
        heard.push(label);
        await this.press("ArrowDown");
      }
      throw new Error(`no row is spoken like ${spoken}, only ${[...new Set(heard)].join(" | ")}`);
    });
  }

  /** Shows what is below a row: a key that meets the rows while they are drawn anew is lost. */
  async open(view: string, text: string | RegExp): Promise<void> {
    const row = this.#workbench.pane(view).locator.locator(".monaco-list-row.focused");
    const isOpen = async () => (await row.getAttribute("aria-expanded")) === "true";
    await this.#again(async () => {
      await this.row(view, text);
      if (await isOpen()) return;
      await this.press("ArrowRight");
      await vi.waitUntil(isOpen, { timeout: ATTEMPT_MS });
    });
  }

  /** Chooses an entry of the menu of a row. */
  async menu(view: string, row: string | RegExp, entry: string): Promise<void> {
    await this.#again(async () => {
      await this.row(view, row);
      await this.press("Shift+F10");
      await this.#menuEntry(entry);
    });
    await this.#chooses();
  }

  /** Presses a button of a view's header, or chooses what is behind its dots. */
  async title(view: string, entry: string): Promise<void> {
    const own = this.#workbench.pane(view).locator.locator(".pane-header .actions");
    // where only one view is shown, its header is the side bar's
    const bar = own.or(
      this.#workbench.page.locator(".part.sidebar .composite.title .title-actions"),
    );
    await this.#bar(bar, entry, () => this.view(view));
  }

  /** The same in the header of the editor in front. */
  async editorTitle(entry: string): Promise<void> {
    const bar = this.#workbench.page.locator(".editor-group-container.active .editor-actions");
    await this.#bar(bar, entry, () => this.run("View: Focus Active Editor Group"));
  }

  /**
   * Goes on with Tab, in the window and in the pages that it shows, until what has the focus is called that;
   * a text is the beginning of its name.
   */
  async tabTo(name: string | RegExp): Promise<void> {
    await this.#again(async () => {
      const seen: string[] = [];
      for (let step = 0; step < STEPS; step += 1) {
        const names = await this.#focused();
        const isMeant = (each: string) =>
          typeof name === "string" ? each.startsWith(name) : name.test(each);
        if (names.some(isMeant)) return;
        seen.push(names.join(" "));
        await this.press("Tab");
      }
      throw new Error(`no Tab leads to ${name}, only to ${[...new Set(seen)].join(" | ")}`);
    });
  }

  /** What names what has the focus, be it in a page within the window. */
  async #focused(): Promise<readonly string[]> {
    for (const frame of this.#workbench.page.frames().reverse()) {
      const names = await namesOfFocus(frame).catch(() => []);
      if (names.length > 0) return names;
    }
    return [];
  }

  /** Goes to a button of a bar that stands before what `start` goes to. */
  async #bar(bar: Locator, entry: string, start: () => Promise<void>): Promise<void> {
    const focused = bar.locator(".action-label:focus");
    const isIn = () => focused.count().then((count) => count > 0);
    let isButton = true;
    await this.#again(async () => {
      await start();
      for (let step = 0; step < STEPS && !(await isIn()); step += 1) await this.press("Shift+Tab");
      isButton = (await bar.locator(`a[aria-label^="${entry}"]`).count()) > 0;
      await this.#along(focused, (label) =>
        isButton ? label.startsWith(entry) : MORE.test(label),
      );
      if (isButton) return;
      await this.press("Enter");
      await this.#menuEntry(entry);
    });
    if (isButton) await this.press("Enter");
    else await this.#chooses();
  }

  async #along(focused: Locator, isMeant: (label: string) => boolean): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      const label = await focused.getAttribute("aria-label", { timeout: ATTEMPT_MS });
      if (isMeant(label ?? "")) return;
      await this.press("ArrowRight");
    }
    throw new Error("no such button");
  }

  async #menuEntry(entry: string): Promise<void> {
    const menu = this.#workbench.page.locator(".monaco-menu");
    await menu.locator(".action-label").first().waitFor({ timeout: ATTEMPT_MS });
    const focused = menu.locator(".action-item.focused .action-label");
    await this.#until(focused, exactly(entry), "ArrowDown").catch(async (error: unknown) => {
      await this.press("Escape");
      throw error;
    });
  }

  async #chooses(): Promise<void> {
    await this.press("Enter");
    await this.#workbench.page.locator(".monaco-menu").waitFor({ state: "detached" });
  }

  async #entry(text: string | RegExp): Promise<void> {
    const { widget } = this.#workbench.quickInput;
    await widget.locator(".monaco-list-row").first().waitFor({ timeout: ATTEMPT_MS });
    const focused = widget.locator(".monaco-list-row.focused");
    await this.#until(focused, text, "ArrowDown");
  }

  /** Presses Enter; the answer is looked at before something else is asked, or nothing. */
  async #accept(): Promise<void> {
    const { quickInput } = this.#workbench;
    const before = await quickInput.question();
    await this.press("Enter");
    await vi.waitUntil(async () => (await quickInput.question()) !== before, { timeout: SLOW_MS });
  }

  /** Presses a key until what is looked at has this text. */
  async #until(looked: Locator, text: string | RegExp, key: string): Promise<void> {
    const meant = looked.filter({ hasText: text });
    for (let step = 0; step < STEPS; step += 1) {
      if ((await meant.count()) > 0) return;
      await this.press(key);
    }
    throw new Error(`no ${key} leads to ${text}`);
  }

  async #again(way: () => Promise<void>): Promise<void> {
    await vi.waitFor(way, { timeout: SLOW_MS });
  }
}

/** What names what has the focus in a page; nothing where nothing of it has. */
function namesOfFocus(frame: Frame): Promise<readonly string[]> {
  return frame.evaluate(() => {
    let element = document.hasFocus() ? document.activeElement : null;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    if (element === null || ["IFRAME", "BODY"].includes(element.tagName)) return [];
    const labels = [...((element as HTMLInputElement).labels ?? [])];
    const texts = [...labels.map((label) => label.textContent), element.textContent];
    const names = [element.getAttribute("aria-label"), ...texts];
    return names.map((name) => (name ?? "").trim()).filter((name) => name !== "");
  });
}
