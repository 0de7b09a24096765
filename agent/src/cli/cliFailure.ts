/** How a command ended; the installer passes the numbers on as its own exit status. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Not possible on this machine. */
  unsupported: 3,
  /** The token is unknown, expired or was used. */
  token: 4,
  network: 5,
  /** A file is not the one that the server hands out. */
  checksum: 6,
  needsRoot: 7,
  /** Not online in time. */
  offline: 8,
  /** The server answered, but did not let us in. */
  refused: 9,
} as const;

/** One of the fixed exit statuses. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An end with a sentence for the person at the terminal. Never contains a secret. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, sentence: string) {
    super(sentence);
    this.name = "CliFailure";
    this.exitCode = exitCode;
  }
}
