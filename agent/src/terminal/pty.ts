import type { TerminalSize } from "@rport/protocol/terminal/terminal";
import type { ShellProgram } from "../machine/shells.ts";

/**
 * Most bytes of one write: up to here Bun tells of each write that it was taken, and more would not
 * fit what a terminal of Linux holds.
 */
export const WRITE_BYTES = 4_095;

/** How a program ended. */
export interface ProgramExit {
  readonly code?: number | undefined;
  /** Such as `SIGTERM`. */
  readonly signal?: string | undefined;
}

/** Told what happens on a terminal. */
export interface PtyListener {
  /** The bytes are these during the call alone. */
  onOutput(bytes: Buffer): void;
  /** The system has taken what was written. */
  onTaken(): void;
  /** Nothing more comes from it, however many processes still have it. */
  onEndOfStream(): void;
  onExit(exit: ProgramExit): void;
}

/** A terminal of the system with a program in it, which leads its session. */
export interface Pty {
  readonly pid: number;
  /** At most `WRITE_BYTES`, and only when what was written before is taken. */
  write(bytes: Buffer): void;
  resize(size: TerminalSize): void;
  /**
   * Keeps the program from writing as far as that is possible: what it has written, and what it
   * writes all the same, comes nevertheless.
   */
  hold(): void;
  release(): void;
  /**
   * Throws away what was given and not read yet; what was not taken counts as taken. Nothing is to be
   * written meanwhile. Whether that worked; never rejects.
   */
  throwAway(): Promise<boolean>;
  /** Whether `Ctrl+C` is a signal there, as far as that can be found out. */
  obeysKeys(): Promise<boolean>;
  /** Gives it back to the system, which hangs it up. Nothing is told after it but the exit. */
  close(): void;
}

/** Starts a program on a terminal of its own. Throws when the system has none to give. */
export type OpenPty = (program: ShellProgram, size: TerminalSize, listener: PtyListener) => Pty;
