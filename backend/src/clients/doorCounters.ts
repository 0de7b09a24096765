/** What the agents' door turned away since the start. */
export interface DoorCounters {
  /**
   * Ended for what they did, or did not do, before they signed in; sockets over a limit included.
   */
  beforeLogin: number;
  /** Ended or refused for breaking the rules after they signed in. */
  afterLogin: number;
  /** Sign-ins with an unknown auth id or a wrong, revoked or expired secret. */
  failedLogins: number;
  /** Sign-ins with a right one. */
  acceptedLogins: number;
}

/** All zero. */
export function newDoorCounters(): DoorCounters {
  return { beforeLogin: 0, afterLogin: 0, failedLogins: 0, acceptedLogins: 0 };
}
