import { RportError } from "@rport/protocol/errors";
import { plainText } from "./text.ts";

/** What people call the system errors that a connection can end with. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing is listening there",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ENOTFOUND: "the name is unknown",
  EAI_AGAIN: "the name cannot be looked up now",
  ETIMEDOUT: "it did not answer in time",
  EADDRINUSE: "the port is in use",
  EACCES: "the operating system does not allow it",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not from a known authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not from a known authority",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

/** The system's code of an error, wherever it is hidden (`fetch` puts it into the cause). */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError) return systemCode(error.errors[0]);
  return systemCode(error.cause);
}

/** Why a connection failed, in words that may follow a colon. */
export function describeNetworkError(error: unknown): string {
  const code = systemCode(error);
  if (code !== undefined) return SYSTEM_ERRORS[code] ?? code;
  return error instanceof Error ? error.message : "an unknown error";
}

/**
 * Any error as a sentence for a person; never a stack. Servers put into theirs what hosts have said,
 * and in a message of the editor a link can be a command: nothing in the sentence is more than text.
 */
export function describeError(error: unknown): string {
  return plainText(sentenceOf(error));
}

function sentenceOf(error: unknown): string {
  if (error instanceof RportError) {
    return error.detail === "" ? error.message : `${error.message} ${error.detail}`;
  }
  return error instanceof Error ? error.message : "Something unexpected went wrong.";
}
