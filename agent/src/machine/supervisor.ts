import type { Changing } from "./placing.ts";

/** What keeps the agent running: the machine's service manager, or nothing at all. */
export interface Supervisor {
  /** For people: "the service rport.service", "the process of ...". */
  readonly title: string;
  /** Folders that `install` writes to. */
  readonly folders: readonly string[];
  /** Whether it was set up before, by us. */
  isInstalled(): Promise<boolean>;
  /** Whether `install` would change nothing. */
  isCurrent(): Promise<boolean>;
  /** Whether the agent runs, or is about to be started again after a crash. */
  isRunning(): Promise<boolean>;
  /** Sets it up, so that it starts with the machine where that is possible. Starts nothing. */
  install(changing: Changing): Promise<void>;
  /** Starts the agent, or starts it anew; resolves when it runs, not when it is connected. */
  start(): Promise<void>;
  /** Ends the agent and waits until it has ended. Harmless when it does not run. */
  stop(): Promise<void>;
  /** Stops it and removes what `install` set up. Harmless when nothing is there. */
  remove(): Promise<void>;
  /** What it does not do, once it is installed: sentences for whoever relies on it. */
  caveats(): Promise<readonly string[]>;
  /** What the agent said last, for the person who has to find out why it does not connect. */
  lastLines(): Promise<readonly string[]>;
}

/** A service manager, with the one service of ours. */
export interface Service extends Supervisor {
  /** Whether a service of this name comes from somebody else, and is not to be touched. */
  isForeign(): Promise<boolean>;
  /** Whether it comes from RPort's own client, whose place an installation takes. */
  hasPredecessor(): Promise<boolean>;
  /** Stops RPort's own client and makes room; an undo brings it back, but does not start it. */
  takeOver(changing: Changing): Promise<void>;
  /** The commands by which RPort's own client, once taken over, serves again. */
  wayBack(): readonly string[];
  /** The account that runs it as it is set up; undefined when it is not, or has none of its own. */
  account(): Promise<string | undefined>;
  /** Whether it is set up for terminals, so that it is as open as its account is. */
  allowsTerminals(): Promise<boolean>;
  /** Why it cannot run this agent, in a sentence; undefined when it can. */
  obstacle(): string | undefined;
}

/** Behind the name of what is kept of RPort's own client when its place is taken. */
export const PREDECESSOR = ".rport-client";

/** How many lines `lastLines` gives. */
export const LAST_LINES = 10;
