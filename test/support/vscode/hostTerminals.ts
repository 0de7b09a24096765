import { expect } from "vitest";
import { SLOW_MS } from "./slow.ts";
import type { Workbench } from "./workbench.ts";

/** The terminals of hosts in a window, which have names as hosts of tests do: `web-01`. */
export class HostTerminals {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** What they are called: the editor puts a shell of its own where it finds none. */
  names(): Promise<readonly string[]> {
    return this.#workbench.inHost((vscode) =>
      vscode.window.terminals.flatMap(({ name }) => (/-\d\d\b/.test(name) ? [name] : [])),
    );
  }

  /** Waits until there are these, and no others. */
  async are(...names: readonly string[]): Promise<void> {
    await expect.poll(() => this.names(), { timeout: SLOW_MS }).toEqual(names);
  }

  /** Which one has the keys. */
  active(): Promise<string | undefined> {
    return this.#workbench.inHost((vscode) => vscode.window.activeTerminal?.name);
  }

  /** Gives the keys to one. */
  async show(name: string): Promise<void> {
    await this.#workbench.inHost((vscode, wanted) => {
      vscode.window.terminals.find((each) => each.name.includes(wanted))?.show();
    }, name);
    await expect.poll(() => this.active(), { timeout: SLOW_MS }).toContain(name);
  }

  /** Gives one an input, as a paste does that its program has not asked to be told of. */
  send(name: string, text: string): Promise<void> {
    return this.#workbench.inHost(
      (vscode, wanted, sent) => {
        vscode.window.terminals.find((each) => each.name.includes(wanted))?.sendText(sent, false);
      },
      name,
      text,
    );
  }

  /** Pastes the clipboard into the one that has the keys. */
  async paste(text: string): Promise<void> {
    await this.#workbench.page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
    await this.#workbench.inHost((vscode) => {
      void vscode.commands.executeCommand("workbench.action.terminal.paste");
    });
  }
}
