import { type ExtensionContext, window } from "vscode";
import { SHEET_VIEW_TYPE } from "./manifest.ts";
import { createWindow } from "./window.ts";

/**
 * Called by the editor when a view is shown or a command is run; does no input or output itself.
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
