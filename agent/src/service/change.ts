import type { Account } from "../machine/account.ts";
import type { Place } from "../machine/place.ts";
import type { Installing } from "../machine/platform.ts";
import type { Programs } from "../machine/programs.ts";
import type { Service, Supervisor } from "../machine/supervisor.ts";
import type { Undo } from "../machine/undo.ts";
import type { Clock } from "../platform/clock.ts";
import type { Installation } from "./installation.ts";
import type { Receipt } from "./receipt.ts";
import type { Terminals } from "./terminals.ts";

/** One change of the machine. */
export interface InstallStep {
  /** What it does, to be read after "would". */
  readonly title: string;
  /** Whether the agent runs from then on; everything is in its place before. */
  readonly isStart?: true;
  run(undo: Undo): Promise<void>;
}

/** What is to be changed. */
export interface Change {
  readonly place: Place;
  readonly installing: Pick<
    Installing,
    "accounts" | "rights" | "wrapper" | "locksPrograms" | "whyNotAt"
  >;
  readonly programs: Programs;
  readonly clock: Clock;
  readonly found: Installation;
  /** What an earlier installation in this prefix wrote down. */
  readonly receipt: Receipt | undefined;
  /** Folders in this prefix that killed runs have worked in. */
  readonly leftovers: readonly string[];
  readonly isEnrolled: boolean;
  /** RPort's own client, whose place is taken. */
  readonly predecessor: Pick<Service, "takeOver"> | undefined;
  /** Leave the key of the host it was: for copies of a disk image. */
  readonly isNewId: boolean;
  readonly terminals: Terminals;
  /** The server that was asked for. */
  readonly server: string;
  /** Claims the pairing; the answer is the new configuration, with what stays of the one before. */
  enrol(before: string | undefined): Promise<string>;
  /** One line for the person at the terminal. */
  say(line: string): void;
  readonly isStarted: boolean;
  readonly signal: AbortSignal;
  supervisor(account: Account | undefined): Supervisor;
}
