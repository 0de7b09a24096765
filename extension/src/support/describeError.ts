import { RportError } from "@rport/protocol/errors";
import { beginningOf } from "@rport/protocol/ownText";
import { t } from "@vscode/l10n";
import { plainText } from "./text.ts";

/** Longer sentences are cut: nobody reads them, and servers write some. */
const SENTENCE_MAX = 2_000;

const UNKNOWN_AUTHORITY = t("its certificate is not from an authority that this computer knows");
const NO_ANSWER = t("it did not answer in time");
const CLOSED = t("the connection was closed without an answer");

/** What people call the system errors that a connection can end with. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: t("nothing is listening there"),
  ECONNRESET: t("the connection was reset"),
  EHOSTUNREACH: t("the host cannot be reached"),
  ENETUNREACH: t("the network cannot be reached"),
  ENOTFOUND: t("the name is unknown"),
  EAI_AGAIN: t("the name cannot be looked up now"),
  ETIMEDOUT: NO_ANSWER,
  EHOSTDOWN: t("the host is down"),
  ENETDOWN: t("the network is down"),
  EADDRNOTAVAIL: t("this computer has no way to that address"),
  EPIPE: CLOSED,
  ECONNABORTED: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  UND_ERR_CONNECT_TIMEOUT: NO_ANSWER,
  UND_ERR_HEADERS_TIMEOUT: NO_ANSWER,
  UND_ERR_BODY_TIMEOUT: NO_ANSWER,
  ERR_SSL_WRONG_VERSION_NUMBER: t("this port speaks http, not https"),
  ERR_SSL_PACKET_LENGTH_TOO_LONG: t("this port speaks http, not https"),
  EPROTO: t("this port does not speak https"),
  EADDRINUSE: t("the port is in use"),
  EACCES: t("the operating system does not allow it"),
  CERT_HAS_EXPIRED: t("its certificate has expired, or the clock of this computer is wrong"),
  DEPTH_ZERO_SELF_SIGNED_CERT: t("its certificate is self-signed"),
  CERT_NOT_YET_VALID: t("its certificate is not valid yet, or the clock of this computer is wrong"),
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  CERT_REVOKED: t("its certificate was revoked"),
  ERR_TLS_CERT_ALTNAME_INVALID: t("its certificate is for another name"),
};

/** Families of codes of which nobody knows all members. */
const CODE_FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^HPE_/, t("this port does not speak http; it may be one for https")],
  [/^ERR_SSL_/, t("no secure connection could be agreed on")],
  [/^ERR_TLS_/, t("its certificate cannot be used")],
  [/^WS_ERR_/, t("it sent a message that is broken or too long")],
];

/** What the editor's own network stack calls things. */
const NET_ERRORS: readonly (readonly [RegExp, string])[] = [
  [/net::ERR_SSL_(PROTOCOL_ERROR|VERSION)/, t("this port does not speak https")],
  [/net::ERR_CERT_AUTHORITY_INVALID/, UNKNOWN_AUTHORITY],
  [/net::ERR_CERT_COMMON_NAME_INVALID/, t("its certificate is for another name")],
  [
    /net::ERR_CERT_DATE_INVALID/,
    t("its certificate has expired, or is not valid yet, or the clock of this computer is wrong"),
  ],
  [/net::ERR_CERT_/, t("its certificate cannot be used")],
  [/net::ERR_CONNECTION_REFUSED/, t("nothing is listening there")],
  [/net::ERR_NAME_NOT_RESOLVED/, t("the name is unknown")],
  [/net::ERR_INVALID_HTTP_RESPONSE/, t("this port does not speak http; it may be one for https")],
  [/net::ERR_(CONNECTION_)?TIMED_OUT/, NO_ANSWER],
  [/net::ERR_(CONNECTION_(RESET|CLOSED)|EMPTY_RESPONSE)/, CLOSED],
  [/net::ERR_(INTERNET_DISCONNECTED|ADDRESS_UNREACHABLE)/, t("the network cannot be reached")],
  [/redirect/i, t("it sends to another address: use the one that a browser shows in the end")],
];

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
  if (code !== undefined) return wordsOfCode(code);
  if (!(error instanceof Error)) return t("an unknown error");
  if (error.name === "TimeoutError") return NO_ANSWER;
  const texts = `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`;
  return NET_ERRORS.find(([pattern]) => pattern.test(texts))?.[1] ?? error.message;
}

function wordsOfCode(code: string): string {
  const family = CODE_FAMILIES.find(([pattern]) => pattern.test(code))?.[1];
  return SYSTEM_ERRORS[code] ?? family ?? t("the connection failed ({0})", code);
}

/**
 * Any error as a sentence for a person; never a stack. Servers put into theirs what hosts have said,
 * and in a message of the editor a link can be a command: nothing in the sentence is more than text.
 */
export function describeError(error: unknown): string {
  return plainText(beginningOf(sentenceOf(error), SENTENCE_MAX));
}

function sentenceOf(error: unknown): string {
  if (error instanceof RportError) {
    return error.detail === "" ? error.message : `${error.message} ${error.detail}`;
  }
  return error instanceof Error ? error.message : t("Something unexpected went wrong.");
}
