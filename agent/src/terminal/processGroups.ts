import type { TerminalSignal } from "@rport/protocol/terminal/terminal";
import type { Processes, ProcessFacts } from "../machine/processes.ts";

/**
 * The processes of one terminal, as far as the system tells them apart. Numbers of processes and groups
 * are used again, and a terminal names the group in front also when nobody is left in it: so a group gets
 * a signal only while the program that leads the session is there, and a process of that session is
 * found in the group immediately before.
 */
export class ProcessGroups {
  readonly #leader: number;
  readonly #processes: Processes | undefined;
  /** Asked while nobody can have waited for the leader, hence while its number is its own. */
  readonly #startedAt: Promise<string | undefined>;
  /** A process that was found in a group whose first one has ended. */
  #member = 0;
  /** What is sent to the program in front once it is known which that is. */
  readonly #pending = new Set<TerminalSignal>();
  #isSending = false;

  /** `leader` is the program that the terminal has just begun with; without `processes` nobody gets a signal. */
  constructor(leader: number, processes: Processes | undefined) {
    this.#leader = leader;
    this.#processes = processes;
    this.#startedAt = this.#began();
  }

  /**
   * The group of the program in front, or of the shell where it cannot be told which that is; undefined
   * once the shell has ended.
   */
  async front(): Promise<number | undefined> {
    const leader = await this.#led();
    return leader && (leader.front ?? this.#leader);
  }

  /** Sends signals to a group, as long as it is one of this terminal. */
  async signal(group: number, ...signals: readonly TerminalSignal[]): Promise<void> {
    if (await this.#isSent(group, group, signals)) return;
    if (await this.#isSent(group, this.#member, signals)) return;
    for (const member of (await this.#processes?.inGroup(group)) ?? []) {
      this.#member = member;
      if (await this.#isSent(group, member, signals)) return;
    }
  }

  /**
   * Sends a signal to the program in front. Equal ones that come before it is known which that is are
   * one, as they are for a program that has not taken the first: a viewer may send any number.
   */
  async signalFront(signal: TerminalSignal): Promise<void> {
    this.#pending.add(signal);
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#pending.size > 0) {
        const front = await this.front();
        const signals = [...this.#pending];
        this.#pending.clear();
        if (front !== undefined) await this.signal(front, ...signals);
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** Sends a signal to the program in front and to the shell. */
  async signalAll(signal: "HUP" | "KILL"): Promise<void> {
    const front = await this.front();
    if (front === undefined) return;
    // Who is stopped hears of nothing. The shell comes last: without it no group is known to be ours.
    for (const group of new Set([front, this.#leader])) await this.signal(group, signal, "CONT");
  }

  async #began(): Promise<string | undefined> {
    return (await this.#processes?.at(this.#leader))?.startedAt;
  }

  /** The program that leads the session, or what is left of it until its end is told. */
  async #led(): Promise<ProcessFacts | undefined> {
    const startedAt = await this.#startedAt;
    const found = await this.#processes?.at(this.#leader);
    return found?.startedAt === startedAt ? found : undefined;
  }

  /** Whether a process is of a group of this terminal, which then has the signals: nothing is waited for in between. */
  async #isSent(group: number, member: number, signals: readonly TerminalSignal[]) {
    const leader = await this.#led();
    const found = await this.#processes?.at(member);
    const isOurs = leader !== undefined && found?.session === leader.session;
    if (!isOurs || found.group !== group) return false;
    for (const signal of signals) send(group, signal);
    return true;
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
