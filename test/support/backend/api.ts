import { createHash } from "node:crypto";
import { errorEnvelopeSchema, isErrorCode, RportError } from "@rport/protocol/errors";
import {
  API_PREFIX,
  ENDPOINTS,
  type EndpointCall,
  type EndpointName,
  type EndpointOutput,
  pathOf,
} from "@rport/protocol/http";

/** An answer of the REST API as it came. */
export interface RawReply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined when there was no body. */
  readonly body: unknown;
}

/** Something that was downloaded. */
export interface Downloaded {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** Calls a backend over HTTP, as a program that has its token. */
export class TestApi {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Calls an endpoint; the answer has to fit the contract. Throws the answer's `RportError`. */
  async call<N extends EndpointName>(
    name: N,
    call: EndpointCall<N> = {},
  ): Promise<EndpointOutput<N>> {
    const path = pathOf(name, { ...call.params }).slice(API_PREFIX.length);
    const reply = await this.raw(ENDPOINTS[name].method, path, { ...call });
    if (reply.status >= 400) throw errorOf(reply);
    if (reply.status === 204) return undefined as EndpointOutput<N>;
    const { data } = reply.body as { data: unknown };
    return ENDPOINTS[name].output?.parse(data) as EndpointOutput<N>;
  }

  /** Sends a request to a path below `API_PREFIX`. */
  async raw(
    method: string,
    path: string,
    { query = {}, body }: { query?: Record<string, string>; body?: unknown } = {},
  ): Promise<RawReply> {
    const url = `${this.#url}${API_PREFIX}${path}?${new URLSearchParams(query)}`;
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const init =
      body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const answer = await fetch(url, init);
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
  }

  /** Gets a path without a token, as an installer does; with a `body` it is posted as JSON. */
  async page(path: string, body?: unknown): Promise<Downloaded> {
    const headers = { "Content-Type": "application/json" };
    const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${this.#url}${path}`, init);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { status: answer.status, headers: answer.headers, bytes, sha256 };
  }
}

function errorOf({ status, body }: RawReply): RportError {
  const [error] = errorEnvelopeSchema.parse(body).errors;
  if (error === undefined || !isErrorCode(error.code)) {
    throw new Error(`${status} without a code of the contract: ${JSON.stringify(body)}`);
  }
  return new RportError(error.code, error.title, { detail: error.detail });
}
