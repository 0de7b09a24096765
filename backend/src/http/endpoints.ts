import type { RportError } from "@rport/protocol/errors";
import type { EndpointInput, EndpointName, EndpointOutput } from "@rport/protocol/http";
import type { AuthId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { Actor } from "../users/actor.ts";

/** Who calls an endpoint, and how. */
export interface CallContext {
  readonly actor: Actor;
  /** The actor's name; empty on endpoints that ask for nothing. */
  readonly user: string;
  /** Where the request came from. */
  readonly address: string;
  /** Others may have the same address: nobody is made to wait for what came from there. */
  readonly isShared: boolean;
  /** `http(s)://host[:port][/path]` under which the request reached this server. */
  readonly origin: string;
  /** The `Authorization` header, for those who sign in with it. */
  readonly authorization: string | undefined;
  /**
   * Throws, as at the door, unless the caller still may what the endpoint does. For work that takes
   * a while (an agent, the disk, a password): rights may have ended meanwhile.
   */
  readonly requireRight: () => void;
  /** What the caller says it is; at most 300 characters. */
  readonly userAgent: string;
}

/** What became of one credential of a call that deletes several: its report, or why it failed. */
export interface Deletion {
  readonly id: AuthId;
  readonly outcome: DeletionReport | RportError;
}

/** What stands in an answer; `count` is the total of a list. */
export interface Answer<N extends EndpointName> {
  readonly data: EndpointOutput<N>;
  readonly count?: number;
  /** Not sent: each gets its own entry in the audit log. */
  readonly deletions?: readonly Deletion[];
}

/** Serves one endpoint. Undefined: the answer has no body (204). */
export type Handler<N extends EndpointName> = (
  input: EndpointInput<N>,
  context: CallContext,
) => Promise<Answer<N> | undefined> | Answer<N> | undefined;

/** One handler for each endpoint of the contract; a missing one does not compile. */
export type Handlers = { readonly [N in EndpointName]: Handler<N> };
