import type { Role } from "../ssh2/algorithms.ts";
import { LOWEST_CONNECTION_MESSAGE } from "../ssh2/bounds.ts";
import { WireError } from "../wireError.ts";

/** DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG and KEXINIT may come at any time. */
const ALWAYS: readonly number[] = [1, 2, 3, 4, 20];
/** A client asks for a service (5) and logs in (50). */
const CLIENT_LOGIN: readonly number[] = [5, 50];
/** A server accepts the service (6), may tell extensions (7), and answers the login (51-53). */
const SERVER_LOGIN: readonly number[] = [6, 7, 51, 52, 53];
const USERAUTH_REQUEST = 50;
const EXT_INFO = 7;

/** Where a message goes: to the library, to the layer above, or nowhere. */
export type Destination = "library" | "above" | "nowhere";

/** Where a message of this number goes. Throws when it may not come now. */
export function destinationOf(type: number, role: Role, isIn: boolean): Destination {
  return isIn ? destinationAfterLogin(role, type) : destinationBeforeLogin(role, type);
}

function destinationBeforeLogin(role: Role, type: number): Destination {
  const login = role === "server" ? CLIENT_LOGIN : SERVER_LOGIN;
  if (ALWAYS.includes(type) || login.includes(type)) return "library";
  throw new WireError("protocol", `message ${type} before the login`);
}

/**
 * The same after the login. A login request that comes after a success must be ignored (RFC 4252
 * 5.1).
 */
function destinationAfterLogin(role: Role, type: number): Destination {
  if (type >= LOWEST_CONNECTION_MESSAGE) return "above";
  if (ALWAYS.includes(type)) return "library";
  if (role === "server" && type === USERAUTH_REQUEST) return "nowhere";
  if (role === "client" && type === EXT_INFO) return "library";
  throw new WireError("protocol", `unexpected message ${type}`);
}
