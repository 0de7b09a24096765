import type { Terminal } from "vscode";
import { isRecordingName } from "../model/terminals/recordingText.ts";

/**
 * Closes terminals of these names, and those of recordings, that an extension host has left behind which was killed:
 * the editor goes on to show them, and nobody is behind them any more. A shell has a process, and a terminal of a
 * living extension has that.
 */
export async function closeDead(
  terminals: readonly Terminal[],
  names: ReadonlySet<string>,
): Promise<void> {
  const dead = terminals.filter(
    ({ creationOptions: { name = "", ...others } }) =>
      (names.has(name) || isRecordingName(name)) && !("pty" in others),
  );
  // the editor may never tell of one
  await Promise.all(
    dead.map(async (terminal) => {
      const pid = (await terminal.processId) ?? 0;
      if (pid <= 0) terminal.dispose();
    }),
  );
}
