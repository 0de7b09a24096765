import type { Processes } from "./processes.ts";

/** An account of the system, as far as a shell of it needs to know. */
export interface ShellAccount {
  readonly name: string;
  /** Undefined where the system does not count in numbers. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
  /** Empty: it has none. */
  readonly home: string;
  /** The program it logs in to; empty: the system's usual one. */
  readonly shell: string;
}

/** What is wanted of a shell. */
export interface ShellWish {
  /** A program instead of the account's own, or empty. */
  readonly shell: string;
  /** Where it begins; undefined: at home. */
  readonly cwd: string | undefined;
  /** What whoever looks at it can show, and their language: `TERM` at least. */
  readonly env: Readonly<Record<string, string>>;
  /** It is to mark its prompts and commands, those that it ran with this; undefined: no marks. */
  readonly nonce: string | undefined;
}

/** A program as it is started on a terminal of its own. */
export interface ShellProgram {
  /** What people are told runs there; the file may be one that starts it. */
  readonly shell: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing of the agent's own gets in. */
  readonly env: Readonly<Record<string, string>>;
  /** The account that its terminal is to belong to; undefined: ours. */
  readonly uid: number | undefined;
}

/** How a terminal of a system is made to let its programs wait, also those that read its keys. */
export interface Stopping {
  /** The names that the library of C has, on this system and its kin; it has `tcflow`. */
  readonly libraries: readonly string[];
  /** What `tcflow` is called with. */
  readonly stop: number;
  readonly goOn: number;
}

/** How shells of a system are found and started. */
export interface Shells {
  /** Whether this process may open shells of other accounts. */
  mayBeOthers(): boolean;
  /** An account by its name, or the agent's own; undefined: there is none. */
  find(name?: string): Promise<ShellAccount | undefined>;
  /** The program to start. Throws an `Error` with a sentence where that is not possible. */
  program(account: ShellAccount, wish: ShellWish): ShellProgram;
  /** The bits of a terminal's flags that this system has, for `IXON` and `ISIG`; undefined: none. */
  readonly flags: { readonly ixon: number; readonly isig: number } | undefined;
  /** Undefined: only with the keys for it, where they are obeyed. */
  readonly stopping: Stopping | undefined;
  /** The terminals that this process has made and not closed, as files; none where that is not known. */
  terminals(): ReadonlySet<string>;
  /** Those that run on its terminals; undefined: they get no signals. */
  readonly processes: Processes | undefined;
}
