import type { Locator, Page } from "playwright-core";
import { vi } from "vitest";

/** For one attempt at a click that a menu may ignore. */
const clickTimeoutMs = 2_000;

const menuTimeoutMs = 20_000;

/** Chooses an entry of the open menu; its label without mnemonics and keys. */
export async function chooseMenuEntry(page: Page, label: string): Promise<void> {
  const entry = page.locator(".monaco-menu .action-item", {
    has: page.locator(".action-label", { hasText: exactly(label) }),
  });
  await entry.waitFor();
  // a menu ignores the mouse for a moment after it opened
  await vi.waitFor(
    async () => {
      if (await entry.isVisible()) await entry.click({ timeout: clickTimeoutMs });
      await entry.waitFor({ state: "detached", timeout: clickTimeoutMs / 10 });
    },
    { timeout: menuTimeoutMs },
  );
}

/** Matches a text that is this and nothing else, but for space around it. */
export function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
}

type Click = NonNullable<Parameters<Locator["click"]>[0]>;

/** A view in the side bar or the panel: its header and the rows of its tree. */
export class Pane {
  readonly #page: Page;
  readonly #pane: Locator;

  /** @param title as the header shows it */
  constructor(page: Page, title: string) {
    this.#page = page;
    this.#pane = page
      .locator(".split-view-view", { has: page.locator(".pane-header", { hasText: title }) })
      .last();
  }

  /** The whole view. */
  get locator(): Locator {
    return this.#pane;
  }

  /** The rows that contain this text: to wait for, to click. */
  row(text: string | RegExp): Locator {
    return this.#pane.locator(".monaco-list-row", { hasText: text });
  }

  /** What a screen reader says of each row shown, from the top. */
  labels(): Promise<string[]> {
    return this.#pane
      .locator(".monaco-list-row")
      .evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label") ?? ""));
  }

  /** What a view says above its rows. */
  get message(): Locator {
    return this.#pane.locator(".tree-explorer-viewlet-tree-view > .message");
  }

  /** The text of a view that has no rows: its welcome content. */
  get welcome(): Locator {
    return this.#pane.locator(".welcome-view-content");
  }

  /** Opens the view if it is collapsed. */
  async expand(): Promise<void> {
    const header = this.#pane.locator(".pane-header");
    await header.waitFor();
    if ((await header.getAttribute("aria-expanded")) === "false") await header.click();
    await this.#pane.locator(".pane-header.expanded").waitFor();
  }

  /** Shows or hides the children of a row. */
  async toggle(text: string | RegExp): Promise<void> {
    await this.row(text).locator(".monaco-tl-twistie").click();
  }

  /** Selects a row and adds others; the last one has the focus then: to press keys on. */
  async select(first: string | RegExp, ...others: (string | RegExp)[]): Promise<void> {
    await vi.waitFor(
      async () => {
        await this.#click(first, { timeout: clickTimeoutMs });
        for (const other of others) {
          await this.#click(other, { modifiers: ["Control"], timeout: clickTimeoutMs });
        }
      },
      { timeout: menuTimeoutMs },
    );
  }

  /** Clicks a button of the view's header, such as Refresh. */
  async headerAction(label: string): Promise<void> {
    const header = this.#pane.locator(".pane-header");
    await header.hover();
    await header.locator(`a.action-label[aria-label^="${label}"]`).click();
  }

  /** Clicks an inline button of a row, which shows while the mouse is over it. */
  async rowAction(text: string | RegExp, label: string): Promise<void> {
    const row = this.row(text);
    const action = row.locator(`a.action-label[aria-label^="${label}"]`);
    // a row that moves because others come leaves the mouse behind; and a click of the mouse, which
    // is an aim, a press and a release, would hit whichever row has come to lie there meanwhile
    await vi.waitFor(
      async () => {
        await this.#page.mouse.move(0, 0);
        await row.hover({ timeout: clickTimeoutMs });
        await action.waitFor({ timeout: clickTimeoutMs });
        await action.dispatchEvent("click", {}, { timeout: clickTimeoutMs });
      },
      { timeout: menuTimeoutMs },
    );
  }

  /** The entries of a row's context menu, from the top; it is closed again. */
  async menuEntries(text: string | RegExp): Promise<string[]> {
    await this.#rightClick(text);
    const entries = this.#page.locator(".monaco-menu .action-label:not(.separator)");
    await entries.first().waitFor();
    const labels = await entries.allInnerTexts();
    await this.#page.keyboard.press("Escape");
    await entries.first().waitFor({ state: "detached" });
    return labels.map((label) => label.trim());
  }

  /** Chooses an entry of a row's context menu. */
  async contextMenu(text: string | RegExp, label: string): Promise<void> {
    await this.#rightClick(text);
    await chooseMenuEntry(this.#page, label);
  }

  async #rightClick(text: string | RegExp): Promise<void> {
    await vi.waitFor(
      async () => {
        await this.#closeMenu();
        // the hover of another row may lie over this one, until the mouse has left that
        await this.#page.mouse.move(0, 0);
        await this.#click(text, { button: "right", timeout: clickTimeoutMs });
      },
      { timeout: menuTimeoutMs },
    );
  }

  /**
   * Rows are drawn into elements of which each is another row's after a change: the one that was found may be that of
   * another row when it is clicked, which then has the focus.
   */
  async #click(text: string | RegExp, how: Click): Promise<void> {
    await this.row(text).click(how);
    const focused = this.#pane.locator(".monaco-list-row.focused", { hasText: text });
    await focused.waitFor({ timeout: clickTimeoutMs });
  }

  async #closeMenu(): Promise<void> {
    const menu = this.#page.locator(".monaco-menu").first();
    if (await menu.isVisible()) await this.#page.keyboard.press("Escape");
    await menu.waitFor({ state: "detached", timeout: clickTimeoutMs });
  }
}
