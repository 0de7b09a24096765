import "./support/language.ts";
import { type ExtensionContext, window } from "vscode";
import { SHEET_VIEW_TYPE } from "./manifest.ts";
import { createWindow } from "./window.ts";

/**
 * Called by the editor when it has started, or earlier when a view is shown or a command is run. Reads
 * settings and nothing else: no file, no network, no other process.
 */
export function activate(context: ExtensionContext): void {
  const main = createWindow(context);
  context.subscriptions.push(
    main,
    window.registerWebviewPanelSerializer(SHEET_VIEW_TYPE, {
      deserializeWebviewPanel: async (panel, state) => main.sheets.restore(panel, state),
    }),
  );
}
