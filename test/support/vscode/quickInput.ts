import type { Locator, Page } from "playwright-core";
import { vi } from "vitest";

/** F1 can be lost while the focus leaves a webview or a terminal: then it is pressed again. */
const paletteAttemptMs = 4_000;
/** A window on a loaded machine needs its time: as long as anything else that is waited for slowly. */
const paletteTimeoutMs = 60_000;

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
    // a window that is busy starting takes keys before it has commands for them, and the palette
    // offers what could be done when it was opened
    await vi.waitFor(
      async () => {
        await this.#page.keyboard.press("F1");
        await this.input.waitFor({ timeout: paletteAttemptMs });
        await this.input.fill(`>${title}`);
        const command = this.rows(title).first();
        await command.click({ timeout: paletteAttemptMs }).catch(async (error: unknown) => {
          await this.cancel();
          throw error;
        });
      },
      { timeout: paletteTimeoutMs },
    );
  }

  /** Chooses an entry of the open quick pick, which then asks something else or goes. */
  async pick(text: string | RegExp): Promise<void> {
    const row = this.rows(text).first();
    await row.waitFor();
    // rows may be drawn a moment before the box above them
    const before = await vi.waitUntil(() => this.question(), { timeout: paletteTimeoutMs });
    // a click that meets the list while it is drawn anew is lost
    await vi.waitFor(
      async () => {
        if ((await this.question()) !== before) return;
        // what is said of the row below the mouse may lie above others
        await this.#page.mouse.move(0, 0);
        await row.click({ timeout: paletteAttemptMs });
        await vi.waitUntil(async () => (await this.question()) !== before, {
          timeout: paletteAttemptMs,
        });
      },
      { timeout: paletteTimeoutMs },
    );
  }

  /** Checks or unchecks an entry of a quick pick that takes several. */
  async toggle(text: string | RegExp): Promise<void> {
    const row = this.rows(text).first();
    const isChecked = () => row.getAttribute("aria-checked");
    await row.waitFor();
    const before = await isChecked();
    // a click that meets the list while it is drawn anew is lost
    await vi.waitFor(
      async () => {
        if ((await isChecked()) !== before) return;
        await this.#page.mouse.move(0, 0);
        await row.click({ timeout: paletteAttemptMs });
        await vi.waitUntil(async () => (await isChecked()) !== before, {
          timeout: paletteAttemptMs,
        });
      },
      { timeout: paletteTimeoutMs },
    );
  }

  /** Waits for an input box with this title or prompt, fills it in and accepts it. */
  async answer(question: string | RegExp, value: string): Promise<void> {
    await this.widget.filter({ hasText: question }).waitFor();
    await this.input.fill(value);
    await this.#page.keyboard.press("Enter");
  }

  /** Answers once more, after a mistake: what was asked is hidden by what is wrong. */
  async retry(value: string): Promise<void> {
    await this.input.fill(value);
    await this.#page.keyboard.press("Enter");
  }

  /** What it asks for, to see whether that has changed; empty when it is closed. */
  async question(): Promise<string> {
    if (!(await this.input.isVisible())) return "";
    const title = await this.widget.locator(".quick-input-title").innerText();
    return `${title}: ${await this.input.getAttribute("placeholder")}`;
  }

  /**
   * Closes it without an answer. It may have closed meanwhile: a shell that the key went to would make another
   * one of what is typed next.
   */
  async cancel(): Promise<void> {
    if (await this.input.isVisible()) await this.input.press("Escape");
    await this.input.waitFor({ state: "hidden" });
  }
}
