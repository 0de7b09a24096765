import type { ErrorCode } from "@rport/protocol/errors";

/** What the program answers to whoever has called it. */
export const EXIT = {
  /** Both directions ended as their ends wanted. */
  done: 0,
  usage: 2,
  noWindow: 3,
  signedOut: 4,
  noClient: 5,
  severalClients: 6,
  offline: 7,
  unreached: 8,
  notAllowed: 9,
  /** It may work later: a server is away, or has too much to do. */
  notNow: 10,
  /** Everything else, such as an end between the ends; `ssh` answers the same. */
  failed: 255,
} as const;

const EXIT_OF: Partial<Record<ErrorCode, number>> = {
  UNAUTHORIZED: EXIT.signedOut,
  NOT_FOUND: EXIT.noClient,
  BAD_REQUEST: EXIT.severalClients,
  CLIENT_OFFLINE: EXIT.offline,
  ERR_CODE_REMOTE_PORT_NOT_OPEN: EXIT.unreached,
  TARGET_NOT_ALLOWED: EXIT.notAllowed,
  FORBIDDEN: EXIT.notAllowed,
  UNAVAILABLE: EXIT.notNow,
  TOO_MANY_REQUESTS: EXIT.notNow,
};

/** What the program answers where a window says that it carries nothing, by what that comes under. */
export function exitCodeOf(code: ErrorCode): number {
  return EXIT_OF[code] ?? EXIT.failed;
}
