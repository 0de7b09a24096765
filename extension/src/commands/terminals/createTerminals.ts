import type { ExtensionContext } from "vscode";
import { window } from "vscode";
import { TERMINAL_PROFILE } from "../../manifest.ts";
import { systemClock } from "../../support/clock.ts";
import { processEnvironment } from "../../support/environment.ts";
import type { Log } from "../../support/log.ts";
import { plainText } from "../../support/text.ts";
import { HostTerminals } from "../../terminals/hostTerminals.ts";
import { UnfinishedFiles } from "../../terminals/playback/unfinishedFiles.ts";
import { TerminalMemory } from "../../terminals/terminalMemory.ts";
import { TypeIntoAll } from "../../terminals/typeIntoAll.ts";
import { registerTerminalLinks } from "./terminalLinks.ts";
import type { TerminalCommandsDeps } from "./terminals.ts";
import { chosenProfile } from "./terminals.ts";
import { askPaste } from "./typeIntoAll.ts";
import { TypingItem } from "./typingItem.ts";

/** The terminals of this window. */
export interface WindowTerminals {
  readonly terminals: HostTerminals;
  /** To where what is typed into one of them goes. */
  readonly typing: TypeIntoAll;
  /** Recordings that are being saved. */
  readonly unfinished: UnfinishedFiles;
  /** Resolves when what is to outlast the window is written. */
  written(): Promise<void>;
  dispose(): void;
}

/** Brings back the terminals that this window had, and has hosts be in the editor's list of what can be opened. */
export function createTerminals(
  { workspaceState, globalState }: Pick<ExtensionContext, "workspaceState" | "globalState">,
  deps: Omit<TerminalCommandsDeps, "terminals"> & { readonly log: Log },
): WindowTerminals {
  const memory = new TerminalMemory(workspaceState, globalState);
  const item = new TypingItem();
  const typing = new TypeIntoAll({
    clock: systemClock,
    askPaste,
    onTold: (sentence) => void window.showWarningMessage(plainText(sentence)),
    onChanged: (members) => item.update(members),
  });
  const shown = { memory, typing, environment: processEnvironment, clock: systemClock };
  const terminals = new HostTerminals({ ...deps, ...shown });
  const provider = window.registerTerminalProfileProvider(TERMINAL_PROFILE, {
    provideTerminalProfile: () => chosenProfile({ ...deps, terminals }),
  });
  const links = registerTerminalLinks({ ...deps, terminals });
  terminals.restore();
  const { log } = deps;
  const unfinished = new UnfinishedFiles({ memento: workspaceState, clock: systemClock, log });
  void unfinished.removeLeft();
  return {
    terminals,
    typing,
    unfinished,
    written: () => memory.written,
    dispose() {
      unfinished.dispose();
      provider.dispose();
      links.dispose();
      terminals.dispose();
      item.dispose();
    },
  };
}
