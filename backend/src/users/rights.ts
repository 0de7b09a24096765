import type { Endpoint } from "@rport/protocol/endpointEntry";
import { RportError } from "@rport/protocol/errors";
import type { Right } from "@rport/protocol/people/right";
import type { Actor } from "./actor.ts";

/** Paths that a token of scope `clients-auth` is good for. */
const CREDENTIALS = /^\/clients-auth(\/|$)/;

/**
 * Refuses whoever lacks what an endpoint needs: `UNAUTHORIZED` when nothing, or only a password
 * without its second factor, was shown; else `FORBIDDEN` with a sentence that names what is missing.
 */
export function requireEndpoint(
  actor: Actor,
  { right, method, path }: Pick<Endpoint, "right" | "method" | "path">,
): void {
  requireRight(actor, right);
  if (right === "nobody" || actor.scope === "signingIn") return;
  if (actor.scope === "read" && method !== "GET") {
    throw new RportError("FORBIDDEN", "This token is for reading only.");
  }
  if (actor.scope === "clients-auth" && !CREDENTIALS.test(path)) {
    throw new RportError("FORBIDDEN", "This token is for the endpoints of credentials only.");
  }
}

/** The same for a WebSocket, which no token opens that is for reading or for credentials only. */
export function requireSocket(actor: Actor, right: Right): void {
  requireRight(actor, right);
  if (actor.scope === "read+write") return;
  throw new RportError("FORBIDDEN", "A token of this scope opens no WebSocket.");
}

/**
 * The same for work that went on after the request was let in: whoever asked may have been disabled
 * meanwhile, or be no administrator any more.
 */
export function requireAdministrator(actor: Actor): void {
  requireRight(actor, "administrator");
}

/** Throws `UNAUTHORIZED` when what was shown has ended while something was worked on. */
export function requireWorking({ ended }: Actor): void {
  if (!ended.aborted) return;
  throw new RportError("UNAUTHORIZED", "This sign-in has ended.");
}

function requireRight(actor: Actor, right: Right): void {
  if (right === "nobody") return;
  requireWorking(actor);
  if (actor.scope === "none") {
    throw new RportError("UNAUTHORIZED", "A valid token is needed: Authorization: Bearer <token>.");
  }
  if (right === "signingIn") return;
  if (actor.scope === "signingIn") {
    throw new RportError("UNAUTHORIZED", "The second factor is missing: POST /verify-2fa.");
  }
  if (right === "user" || actor.isAdministrator) return;
  if (right === "administrator") {
    throw new RportError("FORBIDDEN", "Only members of the group Administrators may do this.");
  }
  if (actor.permissions[right]) return;
  throw new RportError("FORBIDDEN", `None of your groups has the permission "${right}".`);
}
