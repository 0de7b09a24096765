import type { ExtensionContext } from "vscode";
import { systemClock } from "../../support/clock.ts";
import { processEnvironment } from "../../support/environment.ts";
import { ListeningMemory } from "./listening.ts";
import { LocalBackend } from "./localBackend.ts";

/** What comes along with the extension, and where the editor has it listen. */
export function createLocal({
  extensionPath,
  globalState,
}: Pick<ExtensionContext, "extensionPath" | "globalState">) {
  const environment = processEnvironment;
  const listening = new ListeningMemory(globalState);
  const local = new LocalBackend({ environment, extensionPath, listening, clock: systemClock });
  return { environment, listening, local };
}
