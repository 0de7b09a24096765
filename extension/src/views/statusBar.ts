import { StatusBarAlignment, type StatusBarItem, ThemeColor, window } from "vscode";
import { STATUS_ITEM_ID, VIEWS } from "../manifest.ts";
import type { StatusItem } from "./context.ts";

/** The extension's one status bar item. A click opens the clients view. */
export class StatusBar {
  readonly #item: StatusBarItem;

  constructor() {
    this.#item = window.createStatusBarItem(STATUS_ITEM_ID, StatusBarAlignment.Left);
    this.#item.name = "RPort";
    this.#item.command = `${VIEWS.clients}.focus`;
  }

  /** Shows this, or nothing. */
  update(status: StatusItem | undefined): void {
    if (status === undefined) {
      this.#item.hide();
      return;
    }
    this.#item.text = status.text;
    this.#item.tooltip = status.tooltip;
    this.#item.accessibilityInformation = { label: status.spoken };
    this.#item.backgroundColor = status.isWarning
      ? new ThemeColor("statusBarItem.warningBackground")
      : undefined;
    this.#item.show();
  }

  /** Removes the item. */
  dispose(): void {
    this.#item.dispose();
  }
}
