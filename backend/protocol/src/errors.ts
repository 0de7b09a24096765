import { z } from "zod";

/**
 * Every code an answer of the backend can carry, with the HTTP status it travels under.
 * Codes that begin with `ERR_CODE_` are RPort's own and keep their names, so that scripts written
 * for RPort keep working; the others are ours.
 */
export const ERROR_STATUS = {
  BAD_REQUEST: 400,
  ERR_CODE_INVALID_REQUEST: 400,
  ERR_CODE_INVALID_ACL: 400,
  ERR_CODE_TUNNEL_EXIST: 400,
  ERR_CODE_TUNNEL_TO_PORT_EXIST: 400,
  ERR_CODE_URI_SCHEME_LENGTH_EXCEED: 400,
  ERR_CODE_LOCAL_PORT_IN_USE: 400,
  ERR_CODE_REMOTE_PORT_NOT_OPEN: 400,
  TARGET_NOT_ALLOWED: 400,
  /** The pairing service that is configured cannot carry what was asked for; the server itself can. */
  PAIRING_UNFIT: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ERR_CODE_CLIENT_AUTH_NOT_FOUND: 404,
  CLIENT_OFFLINE: 404,
  PAIRING_NOT_FOUND: 404,
  INVITATION_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  ERR_CODE_ALREADY_EXIST: 409,
  ERR_CODE_CLIENT_AUTH_HAS_CLIENT: 409,
  CONFLICT: 409,
  AGENT_REFUSED: 409,
  /** A pairing is for another host. */
  IDENTIFIER_MISMATCH: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  EXPECTATION_FAILED: 417,
  TOO_MANY_REQUESTS: 429,
  INTERNAL: 500,
  /** The agent is there, and does not know how: its version, or its system. */
  AGENT_CANNOT: 501,
  NOT_BUILT: 404,
  /** The pairing service that is configured did not do what it should; `detail` is one word for how. */
  PAIRING_SERVICE: 502,
  UNAVAILABLE: 503,
  AGENT_TIMEOUT: 504,
  DISK_FULL: 507,
  /** It is in force, but a restart of the server takes it back until the disk has room for it. */
  NOT_DURABLE: 507,
} as const;

/** One of the closed set of codes. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** Narrows a text from outside to a known code. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_STATUS, text);
}

/**
 * The one error class of the product. `title` is a sentence for a person that names what is wrong
 * and never contains a secret; `detail` is optional context; `cause` is for the log and is never
 * sent to a peer.
 */
export class RportError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  /** After how many seconds it makes sense to try again, where somebody knows. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: ErrorCode,
    title: string,
    options: { detail?: string; cause?: unknown; retryAfterS?: number } = {},
  ) {
    super(title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RportError";
    this.code = code;
    this.detail = options.detail ?? "";
    this.retryAfterS = options.retryAfterS;
  }

  /** The HTTP status that belongs to the code. */
  get status(): number {
    return ERROR_STATUS[this.code];
  }

  /** Makes anything that was caught an `RportError`; what we do not know becomes `INTERNAL`. */
  static from(caught: unknown): RportError {
    if (caught instanceof RportError) return caught;
    return new RportError("INTERNAL", "The server ran into an unexpected problem.", {
      cause: caught,
    });
  }
}

/** RPort's error envelope: `{"errors":[{"code","title","detail"}]}`. */
export const errorEnvelopeSchema = z.object({
  errors: z
    .array(
      z.object({
        code: z.string().max(100).default(""),
        title: z.string().max(2_000).default(""),
        detail: z.string().max(10_000).default(""),
      }),
    )
    .min(1)
    .max(100),
});

/** The error envelope as it is sent. */
export type ErrorEnvelope = z.infer<typeof errorEnvelopeSchema>;

/** The wire form of an error: code, title and detail, never the cause. */
export function toEnvelope(error: RportError): ErrorEnvelope {
  return { errors: [{ code: error.code, title: error.message, detail: error.detail }] };
}

/**
 * Codes our own WebSocket endpoints close with (4000-4999 are for applications, RFC 6455 7.4.2).
 */
export const CLOSE_CODES = {
  /** The consumer did not keep up; it should connect again and take a new snapshot. */
  resync: 4001,
  /** The token is unknown, expired or was revoked. */
  unauthorized: 4003,
  /** The client, the tunnel or the target is not there or not allowed; the reason says which. */
  refused: 4004,
  /** The server is stopping; connect again later. */
  stopping: 4005,
  /** It was cut on the way to the host, by the server, too; what was open there, such as a terminal, may be there still. */
  cutOff: 4006,
  /** Somebody with the same account goes on with it in another place. */
  takenOver: 4007,
  /** The client is not connected. */
  offline: 4008,
  /** The client's own configuration is against the target; the reason says so. */
  notAllowed: 4009,
  /** The client could not open the target: nothing listens there, or the client does not get there. */
  unreached: 4010,
} as const;
