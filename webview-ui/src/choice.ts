import type { SheetState } from "@rport/protocol/sheet";

/** The command that is shown: its platform, its way to download, its text. */
export interface Chosen {
  readonly platform: string;
  readonly command: string;
  readonly text: string;
}

/** The command to show: the wanted one if the server has it, else the first. */
export function choiceOf(state: SheetState, wanted: string): Chosen | undefined {
  for (const platform of state.platforms) {
    const command = platform.commands.find(({ id }) => id === wanted);
    if (command) return { platform: platform.id, command: command.id, text: command.text };
  }
  const platform = state.platforms[0];
  const command = platform?.commands[0];
  if (!platform || !command) return undefined;
  return { platform: platform.id, command: command.id, text: command.text };
}
