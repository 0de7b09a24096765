import { EventEmitter, type Pseudoterminal, TerminalProfile } from "vscode";
import type { Clock } from "../support/clock.ts";

/**
 * What the editor is given where nobody chose a host: a terminal that goes at once. The editor takes no other
 * answer, and would tell of an error.
 */
export function noTerminal(clock: Clock): TerminalProfile {
  const written = new EventEmitter<string>();
  const closed = new EventEmitter<void>();
  const pty: Pseudoterminal = {
    onDidWrite: written.event,
    onDidClose: closed.event,
    // the editor hears of an end only after it has opened it
    open: () => void clock.after(0, () => closed.fire()),
    close() {
      written.dispose();
      closed.dispose();
    },
  };
  return new TerminalProfile({ name: "RPort", pty, isTransient: true });
}
