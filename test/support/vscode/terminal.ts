import type { Locator, Page } from "playwright-core";

/** Titles of the palette's commands on terminals of hosts that `terminal.test.ts` tries. */
export const TERMINAL_COMMANDS: readonly string[] = ["Open Terminal"];

/** The same of `manyTerminals.test.ts`. */
export const MANY_TERMINALS_COMMANDS: readonly string[] = [
  "Open Terminals on Hosts of Group",
  "Type Into All...",
  "Stop Typing Into All",
];

/** The same of `recordings.test.ts`. */
export const RECORDING_COMMANDS: readonly string[] = ["Play Recording...", "Save Recording..."];

/** The terminal that is shown. */
export class Terminal {
  /** The rows on screen; a line longer than the terminal is wide takes several. */
  readonly rows: Locator;
  readonly #page: Page;

  /** @param page of a workbench */
  constructor(page: Page) {
    this.#page = page;
    this.rows = page.locator(".terminal-wrapper.active .xterm-rows");
  }

  /** The text on screen, one line per row, without trailing space. */
  async text(): Promise<string> {
    const lines = await this.rows.locator("> div").allInnerTexts();
    return lines
      .map((line) => line.replaceAll("\u00a0", " ").trimEnd())
      .join("\n")
      .trimEnd();
  }

  /** Waits until the text is on screen. */
  async shows(text: string | RegExp): Promise<void> {
    await this.rows.filter({ hasText: text }).waitFor();
  }

  /** Types; "\n" is the Enter key. */
  async type(text: string): Promise<void> {
    await this.#page.locator(".terminal-wrapper.active .xterm-helper-textarea").focus();
    await this.#page.keyboard.type(text);
  }
}
