/** A process, as far as whoever signals it has to know it. */
export interface ProcessFacts {
  readonly group: number;
  /** The same for all processes of one session. */
  readonly session: string;
  /** The group in front on the terminal of its session; undefined: not known. */
  readonly front: number | undefined;
  /** What tells it apart from a later one with its number. */
  readonly startedAt: string;
}

/**
 * The processes of a system by their numbers, which are used again: a number is kept as long as a process,
 * a group or a session has it, also by processes that have ended and that nobody has asked for yet.
 */
export interface Processes {
  /** Undefined: there is none, or it cannot be known. What is known at once is no promise. */
  at(pid: number): ProcessFacts | undefined | Promise<ProcessFacts | undefined>;
  /** The numbers of the processes of a group, as they were a moment ago; none where they cannot be known. */
  inGroup(group: number): Promise<readonly number[]>;
}
