/** What comes of a command: what to print, and the exit status. */
export interface CommandResult {
  readonly lines: readonly string[];
  /** What to print on the standard error. */
  readonly complaints?: readonly string[];
  readonly exitCode: number;
}

/** Finds the data directory that the flags of `DATA_DIR_FLAGS` name. Fails with a `StartFailure`. */
export type DataDirOf = (flags: readonly string[]) => string;

/** A command of the program, given the arguments after its name. Fails with a `StartFailure`. */
export type Command = (argv: readonly string[], dataDirOf: DataDirOf) => Promise<CommandResult>;
