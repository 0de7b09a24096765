import type { Terminal } from "vscode";

/**
 * Closes terminals of these names that an extension host has left behind which was killed: the editor goes on to show
 * them, and nobody is behind them any more. A shell has a process, and a terminal of a living extension has that.
 */
export async function closeDead(
  terminals: readonly Terminal[],
  names: ReadonlySet<string>,
): Promise<void> {
  const dead = terminals.filter(
    ({ creationOptions }) => names.has(creationOptions.name ?? "") && !("pty" in creationOptions),
  );
  for (const terminal of dead) {
    const pid = (await terminal.processId) ?? 0;
    if (pid <= 0) terminal.dispose();
  }
}
