import { errorEnvelopeSchema, isErrorCode, RportError } from "@rport/protocol/errors";
import {
  ENDPOINTS,
  type EndpointCall,
  type EndpointName,
  type EndpointOutput,
  pathOf,
} from "@rport/protocol/http";
import { z } from "zod";
import { describeNetworkError } from "../support/describeError.ts";
import type { AccessSource, ReadyAccess } from "./access.ts";
import { addressBelow } from "./address.ts";
import type { RequestParts } from "./oneConnection.ts";

/** An answer of the REST API takes at most this long; rotation waits up to 10 s for agents. */
const TIMEOUT_MS = 30_000;

const answerSchema = z.object({ data: z.unknown() });

/** What the client needs from its surroundings. */
export interface ApiDeps {
  readonly access: AccessSource;
  /** The editor's own `fetch` knows its proxy and certificate settings. */
  readonly fetch: typeof fetch;
}

/** A typed client of the REST API, driven by the endpoint table. */
export class Api {
  readonly #access: AccessSource;
  readonly #fetch: typeof fetch;

  constructor({ access, fetch }: ApiDeps) {
    this.#access = access;
    this.#fetch = fetch;
  }

  /**
   * Calls an endpoint and answers what stands in `data`. Throws `RportError`: with the server's own
   * code and words, `UNAUTHORIZED` without a token, `UNAVAILABLE` when the server cannot be
   * reached.
   */
  async call<N extends EndpointName>(
    name: N,
    call: EndpointCall<N> = {},
  ): Promise<EndpointOutput<N>> {
    const response = await this.#send(name, call);
    if (!response.ok) throw await errorOf(response);
    const schema = ENDPOINTS[name].output;
    if (schema === undefined || response.status === 204) {
      return undefined as EndpointOutput<N>;
    }
    const answer = answerSchema.safeParse(await response.json().catch(() => undefined));
    const parsed = schema.safeParse(answer.data?.data);
    if (!parsed.success) throw unreadable(parsed.error);
    return parsed.data as EndpointOutput<N>;
  }

  /**
   * The text at a path of the server; at most `maxBytes` characters. Whatever address the path came
   * with, only the server itself is asked.
   */
  async text(path: string, maxBytes: number): Promise<string> {
    const access = await this.#ready();
    const response = await this.#exchange(access, path, { method: "GET", headers: {} });
    if (!response.ok) throw await errorOf(response);
    const text = await response.text();
    if (text.length > maxBytes) throw new RportError("TOO_LARGE", "The server's text is too long.");
    return text;
  }

  async #send<N extends EndpointName>(name: N, call: EndpointCall<N>): Promise<Response> {
    const access = await this.#ready();
    const query = new URLSearchParams(call.query ?? {});
    const path = pathOf(name, call.params) + (query.size === 0 ? "" : `?${query}`);
    const headers: Record<string, string> = { authorization: access.authorization };
    if (call.body !== undefined) headers["content-type"] = "application/json";
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    return this.#exchange(access, path, { method: ENDPOINTS[name].method, headers, body });
  }

  async #ready(): Promise<ReadyAccess> {
    const access = await this.#access();
    if (access.kind === "noToken") {
      throw new RportError("UNAUTHORIZED", "You are not signed in to this server.");
    }
    if (access.kind === "unavailable") throw new RportError("UNAVAILABLE", access.reason);
    return access;
  }

  async #exchange(
    { url, connection }: ReadyAccess,
    path: string,
    { method, headers, body }: Omit<RequestParts, "signal">,
  ): Promise<Response> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      if (connection !== undefined) {
        const last = { ...headers, connection: "close" };
        return await connection.send(path, { method, headers: last, body, signal });
      }
      // a redirect could carry the token to another host
      const redirect = "error";
      const init = { method, headers, body: body ?? null, redirect, signal } as const;
      return await this.#fetch(addressBelow(url, path).href, init);
    } catch (error) {
      const reason = describeNetworkError(error);
      throw new RportError("UNAVAILABLE", `Cannot reach ${new URL(url).host}: ${reason}.`, {
        cause: error,
      });
    }
  }
}

function unreadable(cause: unknown): RportError {
  return new RportError("INTERNAL", "The server's answer is not what this version expects.", {
    cause,
  });
}

async function errorOf(response: Response): Promise<RportError> {
  return errorFromEnvelope(response.status, await response.text().catch(() => ""));
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

/** The error an answer tells of: its envelope's first entry, or the bare status. */
export function errorFromEnvelope(status: number, body: string): RportError {
  const envelope = errorEnvelopeSchema.safeParse(parseJson(body));
  const first = envelope.data?.errors[0];
  const code = first !== undefined && isErrorCode(first.code) ? first.code : codeOfStatus(status);
  const title = first?.title || `The server answered with status ${status}.`;
  return new RportError(code, title, { detail: first?.detail ?? "" });
}
