import { t } from "@vscode/l10n";
import { commands, window } from "vscode";
import { VIEWS } from "../../manifest.ts";
import { FILTER_KEYS, FILTER_STATUSES } from "../../model/shown/filter.ts";
import type { Arrangements } from "../../views/arrangements.ts";
import type { Handlers } from "../registry.ts";

/** Commands that say which clients are shown. */
export type FilterHandlers = Pick<Handlers, "filterClients" | "clearFilter">;

/** Filtering the clients view. Escape clears, too: in the box, that is what was typed there. */
export function filterHandlers(arrangements: Arrangements): FilterHandlers {
  return {
    async filterClients() {
      await commands.executeCommand(`${VIEWS.clients}.focus`);
      await askFilter(arrangements);
    },
    async clearFilter() {
      arrangements.clearFilter();
    },
  };
}

/**
 * Filters while one types. The box is no part of the tree, so that it keeps the keys whatever hosts do.
 * What was typed stays when somebody goes on to what it has found.
 */
function askFilter(arrangements: Arrangements): Promise<void> {
  const box = window.createInputBox();
  box.title = t("Filter Clients");
  box.value = arrangements.filterText;
  box.placeholder = "web tag:db os:linux status:online";
  box.prompt = t(
    "Any text, or {0} with a value; status is {1}. Empty shows all clients.",
    FILTER_KEYS.map((key) => `${key}:`).join(" "),
    FILTER_STATUSES.join(", "),
  );
  arrangements.beginFilter();
  return new Promise((resolve) => {
    const unsubscribe = arrangements.changed.add(() => {
      if (!arrangements.isAsked) box.hide();
    });
    const listeners = [
      box.onDidChangeValue((text) => {
        box.validationMessage = arrangements.setFilter(text);
      }),
      box.onDidAccept(() => {
        box.validationMessage = arrangements.setFilter(box.value);
        if (box.validationMessage === undefined) box.hide();
      }),
      box.onDidHide(() => {
        unsubscribe();
        for (const listener of listeners) listener.dispose();
        box.dispose();
        arrangements.endFilter();
        resolve();
      }),
    ];
    box.show();
  });
}
