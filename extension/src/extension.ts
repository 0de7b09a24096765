import "./support/language.ts";
import { type ExtensionContext, window } from "vscode";
import { SHEET_VIEW_TYPE } from "./manifest.ts";
import { createWindow, type Window } from "./window.ts";

/** The editor calls two functions of this file, of which the second has to know what the first has made. */
let ours: Window | undefined;

/**
 * Called by the editor when it has started, or earlier when a view is shown or a command is run. Reads
 * settings and nothing else: no file, no network, no other process.
 */
export function activate(context: ExtensionContext): void {
  const main = createWindow(context);
  ours = main;
  context.subscriptions.push(
    main,
    window.registerWebviewPanelSerializer(SHEET_VIEW_TYPE, {
      deserializeWebviewPanel: async (panel, state) => main.sheets.restore(panel, state),
    }),
  );
}

/** Called by the editor when the window closes or is reloaded, which waits a few seconds for the promise. */
export async function deactivate(): Promise<void> {
  await ours?.written();
}
