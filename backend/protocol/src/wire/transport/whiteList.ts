import type { Role } from "../ssh2/algorithms.ts";

/** DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG and KEXINIT may come at any time. */
const ALWAYS: readonly number[] = [1, 2, 3, 4, 20];
/** A client asks for a service (5) and logs in (50). */
const CLIENT_LOGIN: readonly number[] = [5, 50];
/** A server accepts the service (6), may tell extensions (7), and answers the login (51-53). */
const SERVER_LOGIN: readonly number[] = [6, 7, 51, 52, 53];
const USERAUTH_REQUEST = 50;
const EXT_INFO = 7;

/** Whether the peer of `role` may send this message while nobody has logged in. */
export function isAllowedBeforeLogin(role: Role, type: number): boolean {
  const login = role === "server" ? CLIENT_LOGIN : SERVER_LOGIN;
  return ALWAYS.includes(type) || login.includes(type);
}

/**
 * What to do with a message below 80 after the login: the library's, ignored, or refused.
 * A login request that comes after a success must be ignored (RFC 4252 5.1).
 */
export function ruleAfterLogin(role: Role, type: number): "pass" | "taken" | "refused" {
  if (ALWAYS.includes(type)) return "pass";
  if (role === "server" && type === USERAUTH_REQUEST) return "taken";
  if (role === "client" && type === EXT_INFO) return "pass";
  return "refused";
}
