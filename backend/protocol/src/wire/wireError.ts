import { beginningOf } from "../asking/ownText.ts";
import { printableLine } from "../log/printable.ts";

/**
 * Why a connection, a request or a channel ended:
 * `local` we closed it; `remote` the peer said goodbye; `lost` the socket went away;
 * `protocol` the peer broke the rules of SSH; `limit` a count or a budget was exceeded; `size` one
 * message was larger than it may be;
 * `timeout` something was overdue; `login` the secret was refused; `serverKey` the server's key is
 * not the pinned one; `refused` the peer said no to one channel or request.
 */
export type WireErrorKind =
  | "local"
  | "remote"
  | "lost"
  | "protocol"
  | "limit"
  | "size"
  | "timeout"
  | "login"
  | "serverKey"
  | "refused";

/** Why a connection ended: a word to decide by, and a sentence for the log. */
export interface CloseReason {
  readonly kind: WireErrorKind;
  readonly text: string;
}

/** Longest text of a peer that goes into a reason. */
const PEER_TEXT_LIMIT = 300;

/** A peer's text made fit for a log and an error: one line, printable, of bounded length. */
export function peerText(text: string): string {
  return printableLine(beginningOf(text, PEER_TEXT_LIMIT));
}

/** Everything `wire/` rejects with. The message never contains a secret. */
export class WireError extends Error {
  readonly kind: WireErrorKind;

  constructor(kind: WireErrorKind, text: string) {
    super(text);
    this.name = "WireError";
    this.kind = kind;
  }

  /** The same reason as an error that can be thrown. */
  static because(reason: CloseReason): WireError {
    return new WireError(reason.kind, reason.text);
  }
}

/** Thrown by a request handler: the peer gets REQUEST_FAILURE with exactly this text. */
export class RequestRefused extends Error {
  constructor(text: string) {
    super(text);
    this.name = "RequestRefused";
  }
}
