import type { EndpointInput, EndpointName, EndpointOutput } from "@rport/protocol/http";

/** Who calls an endpoint, and how. */
export interface CallContext {
  readonly user: string;
  /** Where the request came from. */
  readonly address: string;
  /** `http(s)://host[:port]` under which the request reached this server. */
  readonly origin: string;
}

/** What stands in an answer; `count` is the total of a list. */
export interface Answer<N extends EndpointName> {
  readonly data: EndpointOutput<N>;
  readonly count?: number;
}

/** Serves one endpoint. Undefined: the answer has no body (204). */
export type Handler<N extends EndpointName> = (
  input: EndpointInput<N>,
  context: CallContext,
) => Promise<Answer<N> | undefined> | Answer<N> | undefined;

/** One handler for each endpoint of the contract; a missing one does not compile. */
export type Handlers = { readonly [N in EndpointName]: Handler<N> };
