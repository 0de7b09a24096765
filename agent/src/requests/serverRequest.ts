import { RequestRefused } from "@rport/protocol/wire/wireError";
import type { z } from "zod";

/** The time that is left for an answer. */
export interface Effort {
  readonly maxMs: number;
  /** Fires when the time is over or the connection has ended; the reason is an `Error`. */
  readonly signal: AbortSignal;
}

/** What of a request comes as JSON; undefined: success, and nothing to say. */
export type Result = object | undefined;

/** Does what a request asks for. Throws `RequestRefused` with the text for the server. */
export type Work = (effort: Effort) => Promise<Result> | Result;

/** What one request may cost. */
export interface RequestLimits {
  /** Size of its payload. */
  readonly bytes: number;
  /**
   * Time for its answer while others wait behind it. Only a request with such a limit can be
   * accepted and ended later. Undefined: it is done at once, or must not be given up.
   */
  readonly ms?: number;
}

/** One request of the server that this agent answers. */
export interface ServerRequest {
  readonly name: string;
  readonly limits: RequestLimits;
  /** The extension it belongs to: as long as the server has not listed it, it is not known. */
  readonly feature: string | undefined;
  /** Parses what the server sent. Throws `RequestRefused`. */
  read(body: unknown): Work;
}

/** What a request is made of. */
export interface RequestDefinition<S extends z.ZodType> {
  readonly name: string;
  readonly limits: RequestLimits;
  readonly feature?: string;
  readonly schema: S;
  answer(body: z.infer<S>, effort: Effort): Promise<Result> | Result;
}

/** An entry of the table of requests. */
export function serverRequest<S extends z.ZodType>(
  definition: RequestDefinition<S>,
): ServerRequest {
  const { name, limits, feature, schema } = definition;
  return {
    name,
    limits,
    feature,
    read(body) {
      const parsed = schema.safeParse(body);
      if (!parsed.success) throw new RequestRefused("the request cannot be read");
      return (effort) => definition.answer(parsed.data, effort);
    },
  };
}
