import { type Browser, openBrowser } from "./browser.ts";
import { type CodeOptions, type CodeServer, startCode } from "./server.ts";
import { Workbench } from "./workbench.ts";

/** A VS Code with one window, all its own. */
export type Editor = AsyncDisposable & {
  readonly server: CodeServer;
  readonly browser: Browser;
  readonly workbench: Workbench;
};

/** Starts server and browser and opens the window; the caller disposes of it. About 10 s. */
export async function openEditor(options: CodeOptions = {}): Promise<Editor> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startCode(options));
  const browser = stack.use(await openBrowser());
  if (options.language !== undefined) await browser.page.addInitScript(speak, options.language);
  const workbench = new Workbench(server, browser.page);
  await workbench.open();
  const owned = stack.move();
  return { server, browser, workbench, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What the script of a language pack does first. */
function speak(language: string): void {
  Object.assign(globalThis, { _VSCODE_NLS_LANGUAGE: language });
}
