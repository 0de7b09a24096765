import { t } from "@vscode/l10n";
import { StatusBarAlignment, type StatusBarItem, ThemeColor, window } from "vscode";
import { COMMANDS, TYPING_ITEM_ID } from "../../manifest.ts";
import type { Member } from "../../terminals/typeIntoAll.ts";
import { hostCount, namesOf } from "./typeIntoAll.ts";

/** Before all others: it must not be overlooked. */
const FIRST = 10_000;

/** Says below the window that what is typed goes to several hosts. A click ends that. */
export class TypingItem {
  readonly #item: StatusBarItem;

  constructor() {
    this.#item = window.createStatusBarItem(TYPING_ITEM_ID, StatusBarAlignment.Left, FIRST);
    this.#item.name = t("RPort: Typing Into All");
    this.#item.command = COMMANDS.stopTypingIntoAll;
    this.#item.backgroundColor = new ThemeColor("statusBarItem.errorBackground");
  }

  /** Shows that these are typed into; none: nothing. */
  update(members: readonly Member[]): void {
    if (members.length === 0) {
      this.#item.hide();
      return;
    }
    const text = t("Typing into {0}", hostCount(members));
    const end = t("Click to end it.");
    this.#item.text = `$(broadcast) ${text}`;
    this.#item.tooltip = `${text}: ${namesOf(members)}\n${end}`;
    this.#item.accessibilityInformation = { label: `${text}: ${namesOf(members)}. ${end}` };
    this.#item.show();
  }

  /** Removes it. */
  dispose(): void {
    this.#item.dispose();
  }
}
