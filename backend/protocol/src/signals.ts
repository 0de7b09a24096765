import { isatty } from "node:tty";

/** What a signal means to a program of ours that serves. */
export type SignalMeaning = "stop" | "reopenLog" | "nothing";

/**
 * Every signal that a person, a service manager or logrotate sends, and what backend and agent do
 * at it. The system's own meaning of most is to end the process at once; KILL, STOP and what tells
 * of a crash (ABRT, SEGV, ...) keep it.
 */
export const SIGNALS = {
  /** Service managers, `kill`. A second one of these ends the process at once. */
  SIGTERM: "stop",
  /** Ctrl-C. */
  SIGINT: "stop",
  /** Ctrl-\ and `docker stop` of some images; a core dump helps nobody. */
  SIGQUIT: "stop",
  /** logrotate, `systemctl reload`; also sent where a terminal has gone. */
  SIGHUP: "reopenLog",
  /** Node would open its debugger to everybody on this machine. */
  SIGUSR1: "nothing",
  SIGUSR2: "nothing",
  /** Who read our output is gone. */
  SIGPIPE: "nothing",
  SIGALRM: "nothing",
  /** After `kill -STOP`; time has passed, which connections notice by themselves. */
  SIGCONT: "nothing",
  SIGWINCH: "nothing",
} as const satisfies Partial<Record<NodeJS.Signals, SignalMeaning>>;

/** The signals of the table. */
export const SIGNAL_NAMES = Object.keys(SIGNALS) as readonly (keyof typeof SIGNALS)[];

/** What a program does at the signals that mean something. */
export interface SignalDeeds {
  /** Stops in order. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** A second signal to stop: ends now. */
  readonly stopNow: () => void;
  readonly reopenLog: () => void;
}

/** Windows knows these only, and a closed console by its own meaning. */
const EVERYWHERE: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT"];

/** From now on the signals of the table mean what stands there. */
export function obeySignals(deeds: SignalDeeds): void {
  const hadTerminal = isatty(0);
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) deeds.stopNow();
    else deeds.stop(signal);
    isStopping = true;
  };
  const act = (signal: NodeJS.Signals, meaning: SignalMeaning): void => {
    if (meaning === "stop") stop(signal);
    if (meaning !== "reopenLog") return;
    deeds.reopenLog();
    // Whoever closes the window of a program means its end.
    if (hadTerminal && !isatty(0)) stop(signal);
  };
  for (const name of SIGNAL_NAMES) {
    if (process.platform === "win32" && !EVERYWHERE.includes(name)) continue;
    process.on(name, () => act(name, SIGNALS[name]));
  }
}
