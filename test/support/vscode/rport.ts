import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import type { Frame } from "playwright-core";
import { afterEach } from "vitest";
import { type Editor, openEditor } from "./editor.ts";
import type { Pane } from "./pane.ts";
import type { CodeOptions } from "./server.ts";
import { ensureVsix } from "./vsix.ts";
import type { Workbench } from "./workbench.ts";

/** A VS Code with the extension as it is shipped, and its parts as a user names them. */
export interface RportEditor extends AsyncDisposable {
  readonly editor: Editor;
  readonly workbench: Workbench;
  readonly clients: Pane;
  /** The credentials. */
  readonly access: Pane;
  readonly tunnels: Pane;
  readonly users: Pane;
  /** The install sheet that shows this text. */
  sheet(text: string | RegExp): Promise<Frame>;
}

/**
 * Starts a VS Code with the extension, whose views are shown. The local backend is the one of this
 * data directory, whether it runs already or not.
 */
export async function openRport(dataDir: string, options: CodeOptions = {}): Promise<RportEditor> {
  const env = { ...options.env, RPORT_ENDPOINT_FILE: join(dataDir, ENDPOINT_FILE) };
  const vsix = [await ensureVsix()];
  await using stack = new AsyncDisposableStack();
  const editor = stack.use(await openEditor({ ...options, vsix, env }));
  const { workbench } = editor;
  await workbench.openContainer("RPort");
  const owned = stack.move();
  return {
    editor,
    workbench,
    clients: workbench.pane("Clients"),
    access: workbench.pane("Client Access"),
    tunnels: workbench.pane("Tunnels"),
    users: workbench.pane("Users"),
    sheet: (text) => workbench.webview(text),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** After each test of the file that failed: a picture of the window, named after the test. */
export function photographFailures(workbench: () => Workbench, of = ""): void {
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await workbench().screenshot(`failed ${task.name.replaceAll(/\W+/g, " ")}${of}`);
  });
}
