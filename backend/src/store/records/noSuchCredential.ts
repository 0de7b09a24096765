import { RportError } from "@rport/protocol/errors";

/** What everybody says of a credential that is not there, or is being deleted. */
export function noSuchCredential(): RportError {
  return new RportError("ERR_CODE_CLIENT_AUTH_NOT_FOUND", "There is no such credential.");
}
