import type { OneConnection } from "@rport/protocol/local/oneConnection";

/** How to get into a server right now. */
export interface ReadyAccess {
  readonly kind: "ready";
  /** Base URL of the users' face, maybe with a path, without a slash at the end. */
  readonly url: string;
  /** The `Authorization` header that opens it; empty: none is sent. */
  readonly authorization: string;
  /** The server key that it has to show, where that is known beforehand: a local backend's. */
  readonly fingerprint?: string;
  /** Who alone may vouch for it, each as PEM; absent: whom the editor trusts. */
  readonly ca?: readonly string[];
  /**
   * The connection on which a local backend has proven who it is, or one to the pinned TLS key of another
   * server; good for one request or one WebSocket. Whoever does not use it closes it.
   */
  readonly connection?: OneConnection;
}

/** How to get into a server right now, or why nobody can. */
export type Access =
  | ReadyAccess
  /** Nobody has signed in, or `why` nobody can tell, as a sentence. */
  | { readonly kind: "noToken"; readonly why?: string | undefined }
  /** A local backend that is not running; `reason` is a sentence. */
  | { readonly kind: "unavailable"; readonly reason: string };

/** The header that a token is shown in. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}

/**
 * Looked up for each request, since the token of a local backend changes at each of its starts, and
 * each connection to one has to be proven.
 */
export type AccessSource = () => Promise<Access>;
