import { z } from "zod";
import type { Endpoint } from "./endpointEntry.ts";
import { errorEnvelopeSchema, isErrorCode, RportError } from "./errors.ts";
import {
  ENDPOINTS,
  type EndpointCall,
  type EndpointName,
  type EndpointOutput,
  pathOf,
} from "./http.ts";

/** What a server has to say of an error is a few sentences; a longer body is not looked into. */
const ERROR_MAX_CHARACTERS = 65_536;

const answerSchema = z.object({ data: z.unknown() });

/** A call of an endpoint as HTTP; whoever sends it adds the `Authorization` header. */
export interface RestRequest {
  readonly method: string;
  /** Path and query, below the server's base URL. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What to send for a call of an endpoint. */
export function restRequest<N extends EndpointName>(name: N, call: EndpointCall<N>): RestRequest {
  const query = new URLSearchParams(call.query ?? {});
  const path = pathOf(name, call.params) + (query.size === 0 ? "" : `?${query}`);
  const { method } = ENDPOINTS[name];
  if (call.body === undefined) return { method, path, headers: {}, body: undefined };
  const headers = { "content-type": "application/json" };
  return { method, path, headers, body: JSON.stringify(call.body) };
}

/**
 * What an answer says: its `data`, or all of it where the endpoint has no envelope. Throws `RportError`: with the server's own code and words, or
 * `INTERNAL` when the answer is not what the endpoint's table says.
 */
export async function restAnswer<N extends EndpointName>(
  name: N,
  response: Response,
): Promise<EndpointOutput<N>> {
  if (!response.ok) throw await errorOf(response);
  const { output: schema, isBare }: Endpoint = ENDPOINTS[name];
  if (schema === undefined || response.status === 204) return undefined as EndpointOutput<N>;
  const answer: unknown = await response.json().catch(() => undefined);
  const parsed = schema.safeParse(isBare ? answer : answerSchema.safeParse(answer).data?.data);
  if (!parsed.success) throw unreadable(parsed.error);
  return parsed.data as EndpointOutput<N>;
}

/** The error that an answer tells of. */
export async function errorOf(response: Response): Promise<RportError> {
  return errorFromEnvelope(response.status, await response.text().catch(() => ""));
}

/** The error an answer tells of: its envelope's first entry, or the bare status. */
export function errorFromEnvelope(status: number, body: string): RportError {
  const said = body.length > ERROR_MAX_CHARACTERS ? undefined : parseJson(body);
  const envelope = errorEnvelopeSchema.safeParse(said);
  const first = envelope.data?.errors[0];
  const code = first !== undefined && isErrorCode(first.code) ? first.code : codeOfStatus(status);
  const title = first?.title || `The server answered with status ${status}.`;
  return new RportError(code, title, { detail: first?.detail ?? "" });
}

function unreadable(cause: unknown): RportError {
  return new RportError("INTERNAL", "The server's answer is not what this version expects.", {
    cause,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOfStatus(status: number) {
  if (status === 401) return "UNAUTHORIZED";
  if (status === 403) return "FORBIDDEN";
  if (status === 404) return "NOT_FOUND";
  return status >= 500 ? "UNAVAILABLE" : "BAD_REQUEST";
}
