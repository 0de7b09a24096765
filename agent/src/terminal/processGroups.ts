import type { TerminalSignal } from "@rport/protocol/terminal/terminal";
import type { Shells } from "../machine/shells.ts";

/** The processes of one terminal, as far as the system tells them apart. */
export class ProcessGroups {
  readonly #leader: number;
  readonly #shells: Pick<Shells, "inFront">;

  constructor(leader: number, shells: Pick<Shells, "inFront">) {
    this.#leader = leader;
    this.#shells = shells;
  }

  /** The group of the program in front, or of the shell where it cannot be told which that is. */
  async front(): Promise<number> {
    return (await this.#shells.inFront(this.#leader)) ?? this.#leader;
  }

  /** Sends a signal to a group. */
  signal(group: number, signal: TerminalSignal): void {
    send(group, signal);
  }

  /** Sends a signal to the program in front. */
  async signalFront(signal: TerminalSignal): Promise<void> {
    send(await this.front(), signal);
  }

  /** Sends a signal to the shell and to the program in front. */
  async signalAll(signal: "HUP" | "KILL"): Promise<void> {
    for (const group of new Set([await this.front(), this.#leader])) {
      send(group, signal);
      // Who is stopped hears of nothing.
      send(group, "CONT");
    }
  }
}

/** Who is gone needs no signal, and who belongs to somebody else does not obey ours. */
function send(group: number, signal: TerminalSignal): void {
  try {
    process.kill(-group, `SIG${signal}`);
  } catch {
    // Nobody is there, or it is not ours: closing the terminal hangs it up.
  }
}
