import type { TerminalSignal } from "@rport/protocol/terminal/terminal";
import type { Shells } from "../machine/shells.ts";

/** The processes of one terminal, as far as the system tells them apart. */
export class ProcessGroups {
  readonly #leader: number;
  readonly #shells: Pick<Shells, "inFront">;
  /** What is sent to the program in front once it is known which that is. */
  readonly #pending = new Set<TerminalSignal>();
  #isLooking = false;

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

  /**
   * Sends a signal to the program in front. Equal ones that come before it is known which that is are
   * one, as they are for a program that has not taken the first: a viewer may send any number.
   */
  async signalFront(signal: TerminalSignal): Promise<void> {
    this.#pending.add(signal);
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const front = await this.front();
      for (const pending of this.#pending) send(front, pending);
    } finally {
      this.#isLooking = false;
      this.#pending.clear();
    }
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
