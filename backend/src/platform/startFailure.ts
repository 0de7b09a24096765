/** How the program ends when it cannot start; the numbers follow sysexits where one fits. */
export const EXIT_CODES = {
  /** A flag, a variable or the configuration file is wrong. */
  configuration: 2,
  /** What is on disk is damaged, foreign, or newer than this program. */
  data: 65,
  /** A command needs a running backend, and there is none. */
  notRunning: 69,
  /** Another process owns the data directory. */
  inUse: 73,
  /** The disk, the directory's permissions, or the network address said no. */
  io: 74,
  /** Another program listens on the address. */
  portInUse: 98,
} as const;

/** Why the program cannot start: a text for the person at the console, and the exit code. */
export class StartFailure extends Error {
  readonly why: keyof typeof EXIT_CODES;

  constructor(why: keyof typeof EXIT_CODES, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartFailure";
    this.why = why;
  }

  /** The process's exit status. */
  get exitCode(): number {
    return EXIT_CODES[this.why];
  }
}
