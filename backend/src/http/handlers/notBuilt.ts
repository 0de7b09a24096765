import { RportError } from "@rport/protocol/errors";
import type { EndpointName } from "@rport/protocol/http";
import type { Handlers } from "../endpoints.ts";

/** Refuses endpoints of the contract that this server does not serve yet. */
export function notBuilt<N extends EndpointName>(...names: readonly N[]): Pick<Handlers, N> {
  const refuse = (): never => {
    throw new RportError("NOT_BUILT", "This server cannot do that yet.");
  };
  return Object.fromEntries(names.map((name) => [name, refuse])) as unknown as Pick<Handlers, N>;
}
