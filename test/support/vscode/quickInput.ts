import type { Locator, Page } from "playwright-core";
import { vi } from "vitest";

/** F1 can be lost while the focus leaves a webview or a terminal: then it is pressed again. */
const paletteAttemptMs = 2_000;
const paletteTimeoutMs = 20_000;

/** The box at the top: command palette, quick picks, input boxes, and file dialogs too. */
export class QuickInput {
  /** The whole box. */
  readonly widget: Locator;
  /** Its text field. */
  readonly input: Locator;
  readonly #page: Page;

  /** @param page of a workbench */
  constructor(page: Page) {
    this.#page = page;
    this.widget = page.locator(".quick-input-widget");
    this.input = this.widget.locator("input.input").first();
  }

  /** The entries that contain this text. */
  rows(text: string | RegExp = ""): Locator {
    return this.widget.locator(".monaco-list-row", { hasText: text });
  }

  /** The title line of an input box or quick pick. */
  title(text: string | RegExp): Locator {
    return this.widget.locator(".quick-input-title", { hasText: text });
  }

  /** The line below: a prompt, or why the value is not accepted. */
  get message(): Locator {
    return this.widget.locator(".quick-input-message");
  }

  /** Runs a command by its title in the palette, with its category: "View: Show Explorer". */
  async runCommand(title: string): Promise<void> {
    await vi.waitFor(
      async () => {
        await this.#page.keyboard.press("F1");
        await this.input.waitFor({ timeout: paletteAttemptMs });
      },
      { timeout: paletteTimeoutMs },
    );
    await this.input.fill(`>${title}`);
    await this.rows(title).first().click();
  }

  /** Chooses an entry of the open quick pick. */
  async pick(text: string | RegExp): Promise<void> {
    await this.rows(text).first().click();
  }

  /** Waits for an input box with this title or prompt, fills it in and accepts it. */
  async answer(question: string | RegExp, value: string): Promise<void> {
    await this.widget.filter({ hasText: question }).waitFor();
    await this.input.fill(value);
    await this.#page.keyboard.press("Enter");
  }

  /** Closes it without an answer. */
  async cancel(): Promise<void> {
    await this.#page.keyboard.press("Escape");
    await this.input.waitFor({ state: "hidden" });
  }
}
